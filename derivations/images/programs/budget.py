
from tree import *

# A failed step shows its last twenty lines.
NAMED_COMPONENTS, NAMED_FOLDERS = 10, 6


def check_budget(image, budget, partitions):
    used = {partition['role']: partition['usedBytes'] for partition in partitions}
    total = sum(used.values())
    if total <= budget:
        return
    parts = ', '.join(f'{role} {size:,}' for role, size in used.items())
    components = read_json('/contents/components.json')
    folders = {}
    for file in read_json('/contents/files.json'):
        folder = '/'.join(file['path'].split('/')[:-1][:3])
        folders[folder] = folders.get(folder, 0) + file['sizeBytes']
    fail('\n'.join([
        f'{image} is {total - budget:,} bytes over its budget: it takes {total:,} ({parts}) of {budget:,}',
        'its largest components:', *largest(((one['sizeBytes'], one['name']) for one in components), NAMED_COMPONENTS),
        'its largest folders:', *largest(((size, folder + '/') for folder, size in folders.items()), NAMED_FOLDERS),
    ]))


def largest(sizes, count):
    return [f'{size:>13,}  {name}' for size, name in sorted(sizes, key=lambda one: (-one[0], one[1]))[:count]]
