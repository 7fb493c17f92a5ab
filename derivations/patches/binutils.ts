// What Debian's series for binutils 2.44 has: nothing of it is needed for the programs as they are built here.

const manual = 'of the manual alone';
const tests = 'of the test suite alone';
const gprofng = 'of gprofng, which is not built';
const others = 'for processors that are no target here';
export const leftOfBinutils = {
  'branch-updates.diff':
    'two messages that compilers warn of, a processor that is no target here, versions and tests: the three weeks after the release',
  'branch-version.diff': 'the number of a version between releases',
  '001_ld_makefile_patch.patch': 'where Debian has scripts of the linker',
  '002_gprof_profile_arcs.patch': manual,
  '003_gprof_see_also_monitor.patch': manual,
  '006_better_file_error.patch': 'what is said of a folder in place of a file',
  '013_bash_in_ld_testsuite.patch': tests,
  '128_ppc64_powerpc_biarch.patch': others,
  '129_multiarch_libpath.patch': 'where Debian has libraries; here the compiler says so',
  '131_ld_bootstrap_testsuite.patch': tests,
  '135_bfd_soversion.patch': "Debian's own names of shared libraries",
  '136_bfd_pic.patch': 'for programs that are linked with its static libraries, which are not kept',
  '157_ar_scripts_with_tilde.patch': 'a further character in names within scripts of ar',
  '164_ld_doc_remove_xref.diff': manual,
  'gprof-build.diff': 'the build ends well without it',
  'aarch64-libpath.diff': 'where Debian has libraries; here the compiler says so',
  'libctf-soname.diff': "Debian's own names of shared libraries",
  'mips-hack.diff': others,
  'perl-shebang.diff': gprofng,
  'env-package-metadata.diff': 'what Debian writes into its own packages',
  'pr32392-workaround.diff': gprofng,
  'armhf-64k-alignment.diff': others,
  'gprofng-examples-tgz-deterministic.diff': gprofng,
  'pr32715.diff': tests,
  'gprofng-cross-build.diff': gprofng,
};
