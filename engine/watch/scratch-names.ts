// Files that editors keep beside the one that is being edited: they come and go while a person types, and nobody means to
// build because of them. They are part of a folder all the same when it is imported for another reason.

const scratch = [
  // vim: swap files, and the one by which it finds out whether it may write to a folder
  /^\..*\.sw[a-z]$/,
  /^4913$/,
  // backups of many
  /~$/,
  // emacs: locks and autosaves
  /^\.#/,
  /^#.*#$/,
  // IntelliJ
  /___jb_(?:tmp|old)___$/,
  // GLib (gedit)
  /^\.goutputstream-/,
];

export function isScratchName(name: string): boolean {
  return scratch.some((pattern) => pattern.test(name));
}
