
import json, os, re, sys

DOCUMENTS = '/packages/usr/share/doc'


def main():
    licences = {package: ' AND '.join(sorted(names(package))) for package in sys.argv[1:]}
    with open(os.environ['out'] + '/licences.json', 'w') as file:
        json.dump(licences, file, indent=1, sort_keys=True)


def names(package):
    path = f'{DOCUMENTS}/{package}/copyright'
    if not os.path.exists(path):
        return {'NOASSERTION'}
    with open(path, encoding='utf-8', errors='replace') as file:
        text = file.read()
    if re.match(r'\s*Format(-Specification)?:', text):
        found = re.findall(r'^License: *(\S.*)$', text, re.MULTILINE)
        return {one(name) for name in found}
    return set(re.findall(r'/usr/share/common-licenses/([\w.-]*\w)', text)) | in_full(text) or {'NOASSERTION'}


# By words that only they have.
WELL_KNOWN = {
    'Expat': r'Permission is hereby granted, free of charge, to any person obtaining a copy of',
    'HPND': r'Permission to use, copy, modify,(?: and)? distribute',
    'PSF-2': r'PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2',
}
BSD = r'Redistribution and use in source and binary forms'
NO_ENDORSEMENT = r'used to endorse or promote products'


def in_full(text):
    words = re.sub(r'[\s*#]+', ' ', text)
    found = {name for name, pattern in WELL_KNOWN.items() if re.search(pattern, words)}
    if re.search(BSD, words):
        found.add('BSD-3-clause' if re.search(NO_ENDORSEMENT, words) else 'BSD-2-clause')
    return found


# "GPL-2+ or Artistic" is one licence with a choice in it.
def one(name):
    name = name.strip().rstrip('.')
    return f'({name})' if re.search(r'\s(or|and|with|,)\s', name, re.IGNORECASE) else name


main()
