
import datetime, hashlib, json, os, re

from tree import *

NO_ASSERTION = 'NOASSERTION'
DOCUMENT = 'SPDXRef-DOCUMENT'
IMAGE = 'SPDXRef-image'


def spdx_document(given, components, sums):
    """spdx.github.io/spdx-spec/v2.3, as JSON. What tells it from others is derived from everything else in it."""
    packages = [package(component, f'SPDXRef-component-{at}') for at, component in enumerate(components, 1)]
    references = sorted({one for entry in packages for one in re.findall(r'LicenseRef-[\w.-]+', entry['licenseDeclared'])})
    document = {
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': DOCUMENT, 'name': given['image'],
        'creationInfo': {'created': created(), 'creators': ['Tool: cairn']},
        'packages': [image(given, sums), *packages],
        'hasExtractedLicensingInfos': [extracted(reference) for reference in references],
        'relationships': [
            related(DOCUMENT, 'DESCRIBES', IMAGE),
            *(related(IMAGE, 'CONTAINS', entry['SPDXID']) for entry in packages),
        ],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
    return {'documentNamespace': 'urn:uuid:' + uuid_of(digest, 'SPDX'), **document}


def created():
    time = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    return time.strftime('%Y-%m-%dT%H:%M:%SZ')


def image(given, sums):
    return {
        'SPDXID': IMAGE, 'name': given['image'], 'summary': given['description'],
        'primaryPackagePurpose': 'OPERATING-SYSTEM',
        'checksums': [{'algorithm': 'SHA256', 'checksumValue': sums[given['image'] + '.img']}],
        **unknown(NO_ASSERTION),
    }


def package(component, reference):
    bom = component['bom']
    supplier = bom.get('supplier')
    entry = {'SPDXID': reference, 'name': bom['name'], **unknown(component.get('licence') or NO_ASSERTION)}
    if 'version' in bom:
        entry['versionInfo'] = bom['version']
    if supplier is not None:
        entry['supplier'] = f'Organization: {supplier["name"]}'
    if 'purl' in bom:
        entry['externalRefs'] = [
            {'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl', 'referenceLocator': bom['purl']}
        ]
    # Of what was downloaded: of several archives none is the package.
    if len(bom['externalReferences']) == 1:
        [download] = bom['externalReferences']
        entry['checksums'] = [{'algorithm': 'SHA256', 'checksumValue': download['hashes'][0]['content']}]
    notes = bom.get('pedigree', {}).get('notes')
    if notes is not None:
        entry['comment'] = notes
    return entry


def unknown(licence):
    """What every package has to say, or to say that it says nothing of it: mirrors differ, and files are not looked into."""
    return {
        'downloadLocation': NO_ASSERTION, 'filesAnalyzed': False, 'copyrightText': NO_ASSERTION,
        'licenseConcluded': NO_ASSERTION, 'licenseDeclared': licence,
    }


def extracted(reference):
    name = reference.removeprefix('LicenseRef-')
    text = f'What the copyright file of the package calls {name}: /usr/share/doc/PACKAGE/copyright in it.'
    return {'licenseId': reference, 'name': name, 'extractedText': text}


def related(one, how, other):
    return {'spdxElementId': one, 'relationshipType': how, 'relatedSpdxElement': other}
