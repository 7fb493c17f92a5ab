// Text of the Python program that fails when an image takes more room than it may, and says what takes it.

export const budgetProgram = String.raw`
import os

from tree import *

# A failed step shows its last twenty lines.
NAMED_COMPONENTS, NAMED_FOLDERS = 10, 6


def main():
    given = read_json('/given/budget.json')
    used = {role: read_json(f'/facts/{role}.json')['usedBytes'] for role in given['roles']}
    total, budget = sum(used.values()), given['budgetBytes']
    if total <= budget:
        return
    parts = ', '.join(f'{role} {size:,}' for role, size in used.items())
    components = read_json('/contents/components.json')
    folders = {}
    for file in read_json('/contents/files.json'):
        folder = '/'.join(file['path'].split('/')[:-1][:3])
        folders[folder] = folders.get(folder, 0) + file['sizeBytes']
    fail('\n'.join([
        f'{given["image"]} is {total - budget:,} bytes over its budget: it takes {total:,} ({parts}) of {budget:,}',
        'its largest components:', *largest(((one['sizeBytes'], one['name']) for one in components), NAMED_COMPONENTS),
        'its largest folders:', *largest(((size, folder + '/') for folder, size in folders.items()), NAMED_FOLDERS),
    ]))


def largest(sizes, count):
    return [f'{size:>13,}  {name}' for size, name in sorted(sizes, key=lambda one: (-one[0], one[1]))[:count]]


main()
`;
