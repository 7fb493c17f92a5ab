
import hashlib, os, re, zlib

from tree import *

COMMON = '/usr/share/common-licenses'


def main():
    given = read_json('/given/notices.json')
    licences = read_json('/licences/licences.json') if os.path.exists('/licences') else {}
    components = [
        {**one, 'licence': one['licence'] or licences.get(one['name'], '')}
        for one in sorted(given['components'], key=lambda one: one['name'])
    ]
    texts = {one['name']: list(texts_of(one)) for one in components}
    lacking = [one['name'] for one in components if one['isFromElsewhere'] and not texts[one['name']]]
    told = {}
    notices = [head(given['image'], lacking)]
    for one in components:
        notices.append(title(one))
        notices += [part(f'{one["name"]}: {name}', text, told) for name, text in texts[one['name']]]
    notices += [part(f'{COMMON}/{name}', read(f'{COMMON}/{name}'), told) for name in common(components, texts)]
    # As a gzip file (RFC 1952), in which zlib leaves out name and time.
    packer = zlib.compressobj(9, wbits=31)
    with open(f'{os.environ["out"]}/{given["image"]}.notices.txt.gz', 'wb') as file:
        file.write(packer.compress(b''.join(notices)) + packer.flush())


def head(image, lacking):
    lines = [f'What {image} is made of, under which terms, and whose work it is: the texts that come with each part.']
    if lacking:
        lines.append(f'No text came with these, and their sources have to be asked: {", ".join(lacking)}.')
    return ('\n'.join(lines) + '\n').encode()


def title(one):
    words = [one['name'], one['version'], f'({one["licence"]})' if one['licence'] else '']
    return f'\n{"=" * 100}\n{" ".join(word for word in words if word)}\n'.encode()


def part(name, text, told):
    """A text that was there before is named, not repeated."""
    digest = hashlib.sha256(text).digest()
    first = told.setdefault(digest, name)
    line = f'\n{"-" * 100}\n{name}'.encode()
    if first != name:
        return line + f', the same as {first}\n'.encode()
    return line + b'\n\n' + text + (b'' if text.endswith(b'\n') else b'\n')


def texts_of(one):
    """Of what a component brings itself, or else of what was found in the package of its name."""
    if one['at'] is None:
        path = f'/licences/texts/{one["name"]}'
        if os.path.exists(path):
            yield 'copyright', read(path)
        return
    top = f'/texts/{one["at"]}'
    if os.path.isfile(top):
        yield 'copyright', read(top)
        return
    # What a link leads to is there by its own name, or is not a part of it.
    for entry in walk(top):
        if entry.kind == 'file':
            yield entry.path, read(entry.source)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def common(components, texts):
    """The licences that many have in common, of which texts give the place instead of the words; and those that nothing but a name tells of."""
    there = set(os.listdir(COMMON)) if os.path.isdir(COMMON) else set()
    named = {name.decode() for each in texts.values() for _, text in each
             for name in re.findall(rb'/usr/share/common-licenses/([\w.-]*\w)', text)}
    for one in components:
        if not texts[one['name']] and one['licence']:
            named |= {debian_name(word) for word in re.findall(r'[\w.-]+', one['licence'])}
    return sorted(named & there)


def debian_name(licence):
    """GPL-2 for GPL-2.0-or-later."""
    match = re.match(r'(A?GPL|LGPL|GFDL)-(\d(?:\.[1-9])?)', licence)
    return f'{match[1]}-{match[2]}' if match else licence


main()
