# Passwords are kept by yescrypt, and all of their characters count; the home of somebody new is nobody else's.

import os, subprocess
from in_root import command, environment, expect, put

with open('/root/etc/login.defs') as file:
    put('/etc/login.defs', file.read())
put('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n')
put('/etc/group', 'root:x:0:\nann:x:1000:\n')
put('/etc/shadow', 'root:*:::::::\nann:*:::::::\n')


def run(*words, typed=''):
    done = subprocess.run(command(*words), input=typed, env=environment(), capture_output=True, text=True)
    expect(done.returncode == 0, f'{words} ended with {done.returncode}: {done.stdout} {done.stderr}')


def entry(name):
    with open('/etc/shadow') as file:
        return next(line.split(':')[1] for line in file if line.startswith(name + ':'))


for words, typed in [
    (['/usr/sbin/chpasswd'], 'ann:a password that is longer\n'),
    (['/usr/bin/passwd', '--stdin', 'ann'], 'a password that is longer still\n'),
]:
    before = entry('ann')
    run(*words, typed=typed)
    after = entry('ann')
    expect(after.startswith('$y$') and after != before, f'{words[0]} keeps a password as {after}')

os.makedirs('/home', exist_ok=True)
run('/usr/sbin/useradd', '--create-home', '--no-user-group', '--gid', '1000', 'bob')
mode = os.stat('/home/bob').st_mode & 0o7777
expect(mode == 0o700, f'the home of a new user is {mode:o}')
