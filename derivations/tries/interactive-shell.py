# A shell on a terminal reads what is typed, whatever the language of whoever is at it, and knows characters of several bytes
# where the locale has them.

import itertools, subprocess
from in_root import command, environment, expect, on_terminal, put

put('/etc/bash.bashrc', 'everywhere=read\n')

languages = [None, '', 'C', 'C.UTF-8', 'POSIX', 'de_DE.UTF-8', 'de_DE', 'xx_YY.no-such', '/', 'C.UTF-8@x']
for name, language in itertools.product(['LANG', 'LC_ALL', 'LC_CTYPE'], languages):
    variables = {} if language is None else {name: language}
    typed = ['word=grün\n', 'echo "<$word ${#word} $everywhere>"\n', 'exit 7\n']
    status, said = on_terminal(command('/usr/bin/bash', '-i'), typed, environment(**variables))
    what = f'with {name}={language} it ended with {status} and said {said!r}'
    expect(status == 7, what)
    length = 4 if language in ('C.UTF-8', 'C.UTF-8@x') else 5
    expect(f'<grün {length} read>' in said, what)

# Without a PATH, nothing of the folder that somebody happens to be in is run.
told = subprocess.run(command('/usr/bin/bash', '-c', 'echo "$PATH"'), env={}, capture_output=True, text=True)
places = told.stdout.strip().split(':')
expect(len(places) > 3 and all(place.startswith('/') for place in places), f'without a PATH it is {places}')

# A line of the history that was edited and left is still a line.
keys = ['echo one\n', 'echo two\n', '\x10\x10 more\x0e\x0e\x10\x1f\x1f\x0e', '\x01\x0b', 'exit 3\n']
status, said = on_terminal(command('/usr/bin/bash', '-i'), keys, environment(TERM='vt100', LANG='C.UTF-8'))
expect(status == 3, f'after the history it ended with {status} and said {said!r}')
