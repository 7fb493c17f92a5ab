// What gnulib's configure tests would find out by running a program, as arguments of configure. A cross build cannot run
// it and guesses the worst, which brings replacements for functions that the C library has in good order.

/**
 * The answers that a native configure gives with the seed's C library, where a cross build guesses otherwise.
 * @example autotools({ configure: [...gnulibAnswers, '--without-selinux'] })
 */
export const gnulibAnswers = [
  'gl_cv_func_fchmodat_works=yes',
  'gl_cv_func_fchownat_empty_filename_works=yes',
  'gl_cv_func_fchownat_nofollow_works=yes',
  'gl_cv_func_fflush_stdin=no',
  'gl_cv_func_fnmatch_gnu=yes',
  'gl_cv_func_fnmatch_posix=yes',
  'gl_cv_func_futimens_works=yes',
  'gl_cv_func_getcwd_path_max=yes',
  'gl_cv_func_getcwd_succeeds_beyond_4k=yes',
  'gl_cv_func_getopt_gnu=yes',
  'gl_cv_func_mbrtoc32_empty_input=yes',
  'gl_cv_func_mbrtoc32_utf8_locale_works=yes',
  'gl_cv_func_mbrtowc_empty_input=yes',
  'gl_cv_func_memchr_works=yes',
  'gl_cv_func_perror_works=yes',
  'gl_cv_func_printf_sizes_c23=yes',
  'gl_cv_func_re_compile_pattern_working=yes',
  'gl_cv_func_strerror_r_works=yes',
  'gl_cv_func_strtol_works=yes',
  'gl_cv_func_strtoll_works=yes',
  'gl_cv_func_strtoul_works=yes',
  'gl_cv_func_strtoull_works=yes',
  'gl_cv_func_working_mktime=yes',
  'gl_cv_func_working_utimes=yes',
  'gl_cv_header_working_fcntl_h=yes',
] as const;
