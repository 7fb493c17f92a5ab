# For programs that try a package: how to start one of its programs, which lies below /root, with the libraries, the locale and
# the terminals that are there. They run beside this module.

import errno, glob, os, select, sys, time

root = '/root'
loader = glob.glob(root + '/usr/lib64/ld-linux-*') + glob.glob(root + '/usr/lib/*/ld-linux-*')
libraries = glob.glob(root + '/usr/lib/*-linux-gnu')
longest = 60


def command(program, *words):
    return [loader[0], '--library-path', libraries[0], root + program, *words]


def environment(**variables):
    return {
        'PATH': root + '/usr/bin',
        'HOME': '/build',
        'TERM': 'dumb',
        'TERMINFO': root + '/usr/share/terminfo',
        'LOCPATH': root + '/usr/lib/locale',
        **variables,
    }


# Whatever was there: files of layers can be replaced, not written to.
def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, 'w') as file:
        file.write(text)


# What a program says on a terminal of its own when this is typed, and how it ends: its status, or minus the signal.
def on_terminal(argv, typed, env):
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execve(argv[0], argv, env)
    said = b''
    try:
        for line in typed:
            said += heard(terminal, 0.2)
            os.write(terminal, line.encode())
        said += heard(terminal, longest, until_end=True)
    finally:
        os.close(terminal)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), said.decode(errors='replace')


def heard(terminal, seconds, until_end=False):
    said = b''
    end = time.monotonic() + seconds
    while time.monotonic() < end and select.select([terminal], [], [], end - time.monotonic())[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError as error:
            # That is how Linux says that the other end is closed.
            if error.errno == errno.EIO:
                return said
            raise
        if piece == b'':
            return said
        said += piece
    if until_end:
        sys.exit(f'it does not end; it said {said!r}')
    return said


def expect(is_so, what):
    if not is_so:
        sys.exit(what)
