// What no system has of what packages bring, by concern. Globs over paths of a package; a folder's glob leaves out all
// below it. A feature adds what only it can say.

const documentation = [
  'usr/share/{doc,info,lintian,bug,doc-base,gdb,common-licenses,python3,apport}',
  'usr/share/man',
  'usr/share/{bash-completion,zsh,fish,menu,pixmaps,applications,polkit-1}',
  'usr/lib/python3.*/{pydoc_data,LICENSE.txt}',
];

// English alone, in UTF-8. The programs' own messages in other languages are catalogues below usr/share/locale.
const otherLanguages = [
  'usr/share/locale',
  'usr/share/i18n',
  // C.UTF-8 comes with the C library.
  'usr/lib/locale',
  'usr/lib/python3.*/lib-dynload/_codecs_{cn,hk,jp,kr,tw,iso2022}*',
];

const forDevelopers = [
  'usr/include',
  'usr/lib/*/pkgconfig',
  // Perl is not here.
  'usr/{bin/c_rehash,lib/ssl/misc}',
  'usr/share/{pkgconfig,aclocal}',
  'usr/lib/python3.*/{idlelib,lib2to3,test,ensurepip,turtledemo,turtle.py,tkinter,venv,unittest,doctest.py,pydoc.py}',
  'usr/lib/python3.*/{_pyrepl,config-*,wsgiref,xmlrpc,pdb.py,cProfile.py,profile.py,pstats.py}',
  'usr/lib/python3.*/lib-dynload/{_test*,xx*,_ctypes_test*,_xx*}*',
];

// Of libraries that are not here: databases, terminals.
const bindings = [
  'usr/lib/python3.*/{sqlite3,curses,dbm}',
  'usr/lib/python3.*/lib-dynload/{_sqlite3,_curses,_curses_panel,_dbm,_gdbm,readline}.*',
];

// What other init systems, package managers, initial ram disks and log rotation would read.
const forOtherSystems = [
  'etc/{init.d,rc?.d,init,sv,runit,cron.*,logrotate.d,apt,dpkg,X11,ufw,dhcp,initramfs-tools,grub.d,kernel,default/ssh}',
  'etc/{bash_completion.d,apparmor.d,logcheck,rsyslog.d,xdg}',
  'usr/lib/{dracut,init,runit,pm-utils,apt,modprobe.d/fbdev-blacklist.conf,kernel,pcrlock.d}',
  'usr/share/{initramfs-tools,runit,debconf,perl5,perl,nodejs,pam-configs,keyrings,libc-bin,sounds}',
];

// Made again from what is there, or never asked for.
const caches = [
  '**/__pycache__',
  'usr/lib/udev/hwdb.{d,bin}',
  'usr/lib/systemd/catalog',
  'usr/lib/*/gconv',
  'var/cache/*',
];

export const leftOutEverywhere: readonly string[] = [
  ...documentation,
  ...otherLanguages,
  ...forDevelopers,
  ...bindings,
  ...forOtherSystems,
  ...caches,
];
