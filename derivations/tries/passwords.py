# Passwords are kept by yescrypt, and all of their characters count.

import os, shutil, subprocess
from in_root import command, environment, expect

os.makedirs('/etc', exist_ok=True)
shutil.copy('/root/etc/login.defs', '/etc/login.defs')
with open('/etc/passwd', 'w') as file:
    file.write('root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n')
with open('/etc/group', 'w') as file:
    file.write('root:x:0:\nann:x:1000:\n')
with open('/etc/shadow', 'w') as file:
    file.write('root:*:::::::\nann:*:::::::\n')


def entry():
    with open('/etc/shadow') as file:
        return next(line.split(':')[1] for line in file if line.startswith('ann:'))


def set_by(*words, typed):
    done = subprocess.run(command(*words), input=typed, env=environment(), capture_output=True, text=True)
    expect(done.returncode == 0, f'{words} ended with {done.returncode}: {done.stdout} {done.stderr}')
    return entry()


for program in [['/usr/sbin/chpasswd'], ['/usr/bin/passwd', '--stdin', 'ann']]:
    typed = 'ann:a password that is longer\n' if len(program) == 1 else 'a password that is longer\n'
    found = set_by(*program, typed=typed)
    expect(found.startswith('$y$'), f'{program[0]} keeps a password as {found}')

# The home of somebody new is nobody else's.
os.makedirs('/home', exist_ok=True)
done = subprocess.run(
    command('/usr/sbin/useradd', '--create-home', '--no-user-group', '--gid', '1000', 'bob'),
    env=environment(),
    capture_output=True,
    text=True,
)
expect(done.returncode == 0, f'useradd ended with {done.returncode}: {done.stderr}')
mode = os.stat('/home/bob').st_mode & 0o7777
expect(mode == 0o700, f'the home of a new user is {mode:o}')
