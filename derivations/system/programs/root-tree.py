
import os, stat


# The regular files, by their paths below the root.
def files(root):
    for folder, _, names in os.walk(root):
        for name in names:
            place = f'{folder}/{name}'
            if stat.S_ISREG(os.lstat(place).st_mode):
                yield os.path.relpath(place, root)


# Where a path ends up, as the kernel would find it inside the root, without the leading slash; None when nothing is there. What is below the folders of "assumed" is
# taken to be there.
def follow(root, path, assumed=()):
    parts, done, links = path.split('/'), [], 0
    while parts:
        part = parts.pop(0)
        if part in ('', '.'):
            continue
        if part == '..':
            done = done[:-1]
            continue
        place = '/'.join([*done, part])
        if (place + '/').startswith(tuple(assumed)):
            return place
        if os.path.islink(f'{root}/{place}'):
            target = os.readlink(f'{root}/{place}')
            links += 1
            if links > 40:
                return None
            done = [] if target.startswith('/') else done
            parts = target.split('/') + parts
        elif os.path.lexists(f'{root}/{place}'):
            done.append(part)
        else:
            return None
    return '/'.join(done)
