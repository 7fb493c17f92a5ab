// Which suites of Debian's count as its stable release. One place, so that no input is without security updates.

/** The release, its security updates, and what changes between its point releases: of each package the newest counts. */
export const trixie = {
  suite: 'trixie',
  furtherSuites: ['trixie-security', 'trixie-updates'],
} as const;

/** The same release, as scanners for vulnerabilities write it. */
export const distro = 'debian-13';
