
import json, os, sys

from root_tree import follow

ROOT = '/root-tree'
# What is there only when the system runs.
MADE_AT_RUN_TIME = ('run/', 'proc/', 'sys/', 'dev/', 'tmp/', 'var/', 'boot/')
findings = []


def main():
    declared = read('/declared/declared.json')
    attributes = {}
    for name in sorted(os.listdir('/archives')):
        attributes.update({path: one for path, one in read(f'/archives/{name}/attributes.json').items() if there(path)})
    attributes.update({path: one for path, one in declared['ifThere'].items() if there(path)})
    for path, one in declared['attributes'].items():
        if not there(path):
            findings.append(f'{path}: has attributes in a feature, and is not in the root')
        attributes[path] = {**attributes.get(path, {}), **one}
    numbered = {path: numbers(path, one, declared) for path, one in attributes.items()}
    find_dangling_links()
    for finding in sorted(findings):
        print(finding)
    if findings:
        sys.exit(1)
    with open(os.environ['out'] + '/attributes.json', 'w') as file:
        json.dump({path: one for path, one in numbered.items() if one}, file, indent=1, sort_keys=True)


def read(path):
    with open(path) as file:
        return json.load(file)


def there(path):
    return os.path.lexists(f'{ROOT}/{path}')


# As images want them: only what is not root's, or not 0755 for folders and programs and 0644 for other files.
def numbers(path, one, declared):
    place = f'{ROOT}/{path}'
    result = {}
    usual = 0o755 if os.path.isdir(place) or os.access(place, os.X_OK) else 0o644
    if 'mode' in one and int(one['mode'], 8) != usual:
        result['mode'] = one['mode'].rjust(5, '0')
    for key, kind, ids in (('uid', 'owner', declared['users']), ('gid', 'group', declared['groups'])):
        name = one.get(kind, 'root')
        if name not in ids:
            findings.append(f'{path}: belongs to {name}, and no feature has such a {kind}')
        elif ids[name] != 0:
            result[key] = ids[name]
    return result


def find_dangling_links():
    for folder, folders, files in os.walk(ROOT):
        for name in folders + files:
            path = os.path.relpath(f'{folder}/{name}', ROOT)
            if os.path.islink(f'{ROOT}/{path}') and follow(ROOT, path, MADE_AT_RUN_TIME) is None:
                findings.append(f'{path}: is a link to {os.readlink(f"{ROOT}/{path}")}, which is not there')


main()
