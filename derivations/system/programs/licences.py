
import json, os, re, sys

DOCUMENTS = '/packages/usr/share/doc'


def main():
    licences = {package: expression(names(package)) for package in sys.argv[1:]}
    os.mkdir(os.environ['out'] + '/texts')
    for package in licences:
        if os.path.exists(text_of(package)):
            with open(text_of(package), 'rb') as text, open(f'{os.environ["out"]}/texts/{package}', 'wb') as copy:
                copy.write(text.read())
    with open(os.environ['out'] + '/licences.json', 'w') as file:
        json.dump(licences, file, indent=1, sort_keys=True)


def text_of(package):
    return f'{DOCUMENTS}/{package}/copyright'


def names(package):
    if not os.path.exists(text_of(package)):
        return set()
    with open(text_of(package), encoding='utf-8', errors='replace') as file:
        text = file.read()
    if re.match(r'\s*Format(-Specification)?:', text):
        return {name.strip().rstrip('.') for name in re.findall(r'^License: *(\S.*)$', text, re.MULTILINE)}
    later = '+' if re.search(r'any\s+later\s+version', re.sub(r'[\s*#]+', ' ', text)) else ''
    common = set(re.findall(r'/usr/share/common-licenses/([\w.-]*\w)', text))
    return {name + later if GNU.fullmatch(name) else name for name in common} | in_full(text)


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


# Debian's short names (its copyright format 1.0, "License specification") in SPDX's words: the GNU licences by their form, and
# those that differ. What SPDX need not know becomes a reference to a licence of that name.
GNU = re.compile(r'(A?GPL|LGPL|GFDL(?:-NIV)?)-?v?(\d(?:\.[1-9])?)(?:\.0)?(\+?)')
VERSIONS = {
    'GPL': ('1', '2', '3'), 'LGPL': ('2', '2.1', '3'), 'AGPL': ('1', '3'),
    **dict.fromkeys(['GFDL', 'GFDL-NIV'], ('1.1', '1.2', '1.3')),
}
OF_SPDX = {
    'Expat': 'MIT', 'MIT': 'MIT', 'MIT/X11': 'MIT', 'X11': 'X11', 'MIT-0': 'MIT-0', 'ISC': 'ISC', 'Zlib': 'Zlib', 'zlib': 'Zlib',
    'BSD-2-clause': 'BSD-2-Clause', 'BSD-3-clause': 'BSD-3-Clause', 'BSD-4-clause': 'BSD-4-Clause', 'HPND': 'HPND',
    'Apache': 'Apache-2.0', 'Apache-2': 'Apache-2.0', 'Apache-2.0': 'Apache-2.0', 'Artistic': 'Artistic-1.0-Perl',
    'Artistic-1': 'Artistic-1.0-Perl', 'Artistic-2': 'Artistic-2.0', 'Artistic-2.0': 'Artistic-2.0', 'Boost-1.0': 'BSL-1.0',
    'BSL-1.0': 'BSL-1.0', 'CC0': 'CC0-1.0', 'CC0-1.0': 'CC0-1.0', 'CC-BY-4.0': 'CC-BY-4.0', 'CC-BY-SA-4.0': 'CC-BY-SA-4.0',
    'FSFAP': 'FSFAP', 'FSFUL': 'FSFUL', 'FSFULLR': 'FSFULLR', 'MPL-1.1': 'MPL-1.1', 'MPL-2': 'MPL-2.0', 'MPL-2.0': 'MPL-2.0',
    'OFL-1.1': 'OFL-1.1', 'SIL-1.1': 'OFL-1.1', 'OpenSSL': 'OpenSSL', 'PSF-2': 'PSF-2.0', 'Python-2.0': 'Python-2.0',
    'Unlicense': 'Unlicense', '0BSD': '0BSD', 'curl': 'curl', 'W3C': 'W3C', 'Sleepycat': 'Sleepycat',
    'Unicode-3.0': 'Unicode-3.0', 'GPL': 'GPL-1.0-or-later', 'LGPL': 'LGPL-2.0-or-later',
}
EXCEPTIONS = {
    'linux syscall note': 'Linux-syscall-note', 'bison': 'Bison-exception-2.2', 'libtool': 'Libtool-exception',
    'autoconf': 'Autoconf-exception-3.0', 'gcc': 'GCC-exception-3.1', 'llvm': 'LLVM-exception',
    'classpath': 'Classpath-exception-2.0',
}


def expression(found):
    """All of them hold. NOASSERTION when none is known of."""
    return ' AND '.join(sorted({in_brackets(choice(name)) for name in found})) or 'NOASSERTION'


# "GPL-2+ or Artistic" is one licence with a choice in it, and "and" binds its sides closer than "or".
def choice(name):
    ways = re.split(r',?\s+or\s+', name, flags=re.IGNORECASE)
    if len(ways) == 1:
        return both(name)
    return ' OR '.join(dict.fromkeys(in_brackets(both(way)) for way in ways))


def both(name):
    return ' AND '.join(dict.fromkeys(one(part) for part in re.split(r',?\s+and\s+|,\s+', name, flags=re.IGNORECASE)))


def one(name):
    licence, *exception = re.split(r'\s+with\s+', name.strip(), maxsplit=1, flags=re.IGNORECASE)
    words = [OF_SPDX.get(licence) or gnu(licence), *map(excepted, exception)]
    return ' WITH '.join(words) if all(words) else 'LicenseRef-' + re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')


def excepted(name):
    return EXCEPTIONS.get(re.sub(r'[\s-]+exceptions?$', '', name.lower()).replace('-', ' '))


def gnu(name):
    match = GNU.fullmatch(name)
    if match is None or match[2] not in VERSIONS[match[1]]:
        return None
    family, version, later = match.groups()
    without = '-no-invariants' if 'NIV' in family else ''
    version = version if '.' in version else f'{version}.0'
    return f'{family.replace("-NIV", "")}-{version}{without}{"-or-later" if later else "-only"}'


def in_brackets(text):
    return f'({text})' if re.search(r' (OR|AND) ', text) else text


main()
