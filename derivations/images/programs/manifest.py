
import hashlib, json, os

from spdx import *
from tree import *

out = os.environ['out'] + '/'


def main():
    given = read_json('/given/manifest.json')
    layout = read_json('/layout/layout.json')
    measured = read_json('/contents/components.json')
    with open('/sums') as file:
        sums = dict(reversed(line.split()) for line in file)
    licences = read_json('/licences/licences.json') if os.path.exists('/licences') else {}
    folders = {name: digest_of_folder(at) for at, name in enumerate(given['folders'])}
    known = {
        component['name']: from_folders(licensed(component, licences), folders) for component in given['components']
    }
    components = [{**known[one['name']], **one} for one in measured]
    write_json(out + 'manifest.json', {
        'image': given['image'], 'target': given['target'], 'description': given['description'],
        'table': layout['table'], 'sizeBytes': layout['sizeBytes'],
        'usedBytes': sum(partition['usedBytes'] for partition in layout['partitions']),
        'partitions': layout['partitions'],
        'components': [without(component, 'bom') for component in components],
    })
    write_json(f'{out}{given["image"]}.cdx.json', bill_of_materials(given, components, sums))
    write_json(f'{out}{given["image"]}.spdx.json', spdx_document(given, components, sums))
    for name in sorted(os.listdir(out)):
        sums[name] = sha256_of(out + name)
    for name, path in given['files'].items():
        sums[name] = sha256_of(path)
    with open(out + 'SHA256SUMS', 'w') as file:
        file.writelines(f'{digest}  {name}\n' for name, digest in sorted(sums.items()))


def licensed(component, licences):
    """Where a component says nothing of its licence, what its package says: an expression of SPDX, or NOASSERTION."""
    licence = licences.get(component['name'])
    if component.get('licence') is not None or licence is None or licence == NO_ASSERTION:
        return component
    return {**component, 'licence': licence, 'bom': {**component['bom'], 'licenses': [{'expression': licence}]}}


def digest_of_folder(at):
    with open(f'/folders/{at}') as file:
        return file.read().strip()


def from_folders(component, folders):
    """Of a folder in place of a pinned download its content says all: no commit, for equal content gives equal bytes."""
    sources = [
        {**source, 'tree': folders[source['input']]} if 'input' in source else source for source in component['sources']
    ]
    notes = '; '.join(
        f'made from a local folder in place of the input {source["input"]}: tree {source["tree"]}'
        for source in sources if 'input' in source
    )
    if not notes:
        return component
    pedigree = {'notes': notes, **component['bom'].get('pedigree', {})}
    return {**component, 'sources': sources, 'bom': {**component['bom'], 'pedigree': pedigree}}


def without(component, field):
    return {name: value for name, value in component.items() if name != field}


def sha256_of(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def bill_of_materials(given, components, sums):
    """cyclonedx.org/docs/1.6/json; the serial number is derived from everything else, so equal images have equal ones."""
    bill = {
        'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'version': 1,
        'metadata': {
            'tools': {'components': [{'type': 'application', 'name': 'cairn'}]},
            'component': {
                'type': 'operating-system', 'bom-ref': 'image:' + given['image'], 'name': given['image'],
                'description': given['description'],
                'hashes': [{'alg': 'SHA-256', 'content': sums[given['image'] + '.img']}],
            },
        },
        'components': [{**component['bom'], 'properties': properties(component)} for component in components],
        'dependencies': [{'ref': 'image:' + given['image'], 'dependsOn': [one['bom']['bom-ref'] for one in components]}],
    }
    digest = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).digest()
    return {'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'serialNumber': 'urn:uuid:' + uuid_of(digest, 'bill'), **bill}


def properties(component):
    values = {'tree': component.get('digest'), 'sizeBytes': component['sizeBytes'], 'files': component['files']}
    folders = {'input:' + source['input']: source['tree'] for source in component['sources'] if 'input' in source}
    return [
        {'name': 'cairn:' + name, 'value': str(value)} for name, value in {**values, **folders}.items() if value is not None
    ]


main()
