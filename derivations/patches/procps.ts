// What Debian's series for procps 4.0.4 has: all of it is upstream's since, but for what is about tests.

/** `kill -TERM -123` sent the signal to process group 1, or -1: every process there is. Upstream commit bfbaf43a. */
export const negativeProcesses = { debian: 'kill_negative_pids' };
/** Nothing could tell how much memory is used where the kernel does not let /proc/meminfo be read again; commit 104b3ce3. */
export const memoryReadAgain = { debian: 'library_lxc_leak' };
/** Ages of processes where /proc has nothing but processes. */
export const timeOfBoot = { debian: 'library_use_clock_gettime' };
export const zeroUsers = { debian: 'library_0_days_users' };
export const helpOfSnice = { debian: 'snice_help' };

const tests = 'of the test suite alone';
const manual = 'of the manual alone';
const sessions = 'of what systemd tells w, and procps is built without it';
export const leftOfProcps = {
  remove_strtod_tests: tests,
  ps_no_path_max: 'for systems without PATH_MAX, which Linux has',
  disable_sched_test: tests,
  uptime_test: tests,
  makefile_w_link_systemd: sessions,
  pmap_test: tests,
  w_no_crash_short: sessions,
  w_cache_pids: sessions,
  w_lib_count_user_sessions: sessions,
  vmstat8_siso_units: manual,
  w1_utmp_not_systemd: manual,
  sysctl8_verboten_keys: 'sysctl -a shows obsolete settings as well, and warns of none that are not there',
  watch1_chgexit_only_visible: manual,
  w_idletime_tty: sessions,
  w_array_bound_for_tty: sessions,
  w_terminal_mode: sessions,
  w_process_tty: sessions,
  sysctl_conf5_update: manual,
  w_sessions_without_sd: sessions,
};
