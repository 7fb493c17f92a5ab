// The texts of the Python programs and modules that steps of this folder's neighbours run. Files of Python, so that they are
// read, coloured and checked as what they are (`npm run lint`); each begins with an empty line, which is a part of its id.

/**
 * The program that reads owners and modes out of Debian archives, which unpacked trees do not have. Only what
 * differs from an image's defaults is kept.
 */
export { default as archiveAttributesProgram } from './archive-attributes.py';
/**
 * The program that looks at a whole root: it turns what archives and features say about owners and modes into one
 * list with numbers, and finds paths that are not there and links that lead nowhere.
 */
export { default as attributesProgram } from './attributes.py';
/**
 * The program that asks whether Python finds what its programs import: all that a module imports when it starts
 * has to be in the root. What it imports on a condition, or is ready to go without, it may.
 */
export { default as checkModulesProgram } from './check-modules.py';
/**
 * The program that asks of every program and library of a root whether it could start: its loader or interpreter,
 * its libraries and their symbols, in the versions it was linked with, have to be in the root.
 */
export { default as checkProgramsProgram } from './check-programs.py';
/**
 * The program that reads licences out of Debian's copyright files: the short names of a machine-readable one, or
 * else those of the common licences that the text refers to and of the well-known ones that it has in full. The texts come along.
 */
export { default as licencesProgram } from './licences.py';
/** The program that finds out when the newest of some Debian packages was made, by what their changelogs say. */
export { default as newestChangeProgram } from './newest-change.py';
/** A module of cloud-init that names what of user-data comes to nothing: what cannot be read, and what nothing does. */
export { default as unheededModule } from './unheeded.py';
/** The module that the programs looking at a root share: which files it has, and where its links lead. */
export { default as rootTreeModule } from './root-tree.py';
