# bc on a terminal, which reads its lines with readline, whatever the language of whoever is at it.

from in_root import command, environment, expect, on_terminal

for language in [None, 'C', 'C.UTF-8', 'de_DE.UTF-8', 'xx_YY.no-such']:
    variables = {} if language is None else {'LANG': language}
    status, said = on_terminal(command('/usr/bin/bc', '-q'), ['2 ^ 70\n', 'quit\n'], environment(**variables))
    expect(
        status == 0 and '1180591620717411303424' in said,
        f'with LANG={language} it ended with {status} and said {said!r}',
    )
