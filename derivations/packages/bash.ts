// bash with readline from this set, and as /bin/sh: no other shell is here. Headers and examples of loadable builtins
// are left out, and so is bashbug, which is full of the build's flags.
import { autotools } from '../lib/build.ts';
import interactiveTry from '../tries/interactive-shell.py';
import { debianSource, definePackage } from '../lib/package.ts';

// What configure would find out by running programs of the target.
const answers = [
  'ac_cv_rl_version=8.2',
  'bash_cv_termcap_lib=libtinfo',
  'bash_cv_job_control_missing=present',
  'bash_cv_sys_named_pipes=present',
  'bash_cv_func_sigsetjmp=present',
  'bash_cv_must_reinstall_sighandlers=no',
  'bash_cv_func_strcoll_broken=no',
  'bash_cv_func_ctype_nonascii=yes',
  'bash_cv_func_snprintf=yes',
  'bash_cv_func_vsnprintf=yes',
  'bash_cv_printf_a_format=yes',
  'bash_cv_getcwd_malloc=yes',
  'bash_cv_getenv_redef=yes',
  'bash_cv_dup2_broken=no',
  'bash_cv_opendir_not_robust=no',
  'bash_cv_pgrp_pipe=no',
  'bash_cv_ulimit_maxfds=yes',
  'bash_cv_unusable_rtsigs=no',
  'bash_cv_wcontinued_broken=no',
  'bash_cv_wcwidth_broken=no',
  'bash_cv_wexitstatus_offset=8',
  'bash_cv_fnmatch_equiv_fallback=no',
];

export const bash = definePackage({
  name: 'bash',
  description: 'shell',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/bash/',
  source: debianSource('bash'),
  leaves: {
    'bashbug-editor.diff': 'of bashbug, which is not kept',
    'deb-bash-config.diff': 'what of it matters is set before the build',
    'deb-examples.diff': 'of the manual alone',
    'man-arithmetic.diff': 'of the manual alone',
    'man-fignore.diff': 'of the manual alone',
    'man-bashrc.diff': 'of the manual alone',
    'man-bashlogout.diff': 'of the manual alone',
    'man-nocaseglob.diff': 'of the manual alone',
    'man-test.diff': 'of the manual alone',
    'man-test2.diff': 'of the manual alone',
    'rbash-manpage.diff': 'of the manual alone',
    'bash-default-editor.diff': "Debian's program `editor`, which is not here",
    'input-err.diff': 'ends a shell that cannot read on in its script, which upstream does not want',
    'exec-redirections-doc.diff': 'of the manual alone',
    'bash-aliases-repeat.diff': 'of examples, which are not kept',
    'use-system-texi2html.diff': 'of the manual alone',
    'man-macro-warnings.diff': 'of the manual alone',
    'man-vx-opts.diff': 'of the manual alone',
    'fix-rl_do_undo-crash.diff': 'of readline, which has it as a package of its own',
  },
  needs: { libraries: ['readline'] },
  build: autotools({
    // As Debian's: a file for all interactive shells, and no folder but those of programs where PATH is not set.
    before: `
sed -i -e '/define SYS_BASHRC/s|.*|#define SYS_BASHRC "/etc/bash.bashrc"|' \\
  -e '/define SYS_BASH_LOGOUT/s|.*|#define SYS_BASH_LOGOUT "/etc/bash.bash_logout"|' \\
  -e 's|"/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:."|"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"|' \\
  config-top.h
grep -q 'SYS_BASHRC "/etc/bash.bashrc"' config-top.h
if grep -q 'sbin:\\."' config-top.h; then exit 1; fi
`,
    configure: ['--with-installed-readline', '--with-curses', '--without-bash-malloc', ...answers],
    after: `
rm -r "$out/usr/lib/$target/bash" "$out/usr/bin/bashbug" "$out/usr/share/man/man1/bashbug.1"
ln -s bash "$out/usr/bin/sh"
ln -s bash "$out/usr/bin/rbash"
`,
  }),
  gives: {
    files: ['usr/bin/bash', 'usr/bin/sh', 'usr/share/man/man1/bash.1'],
    runs: [
      ['/usr/bin/bash', '--version'],
      ['/bin/sh', '-c', 'x=$((6 * 7)); test "$x" = 42'],
    ],
    tries: [interactiveTry],
  },
});
