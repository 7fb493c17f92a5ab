// A fix of gzip that Debian's security update has and its original archive has not, as upstream wrote it.

/** CVE-2026-41992: a buffer overflow with an .lzh file after a .Z file; upstream commit 63dbf6b3. */
export const clearedTables = {
  fixes: ['CVE-2026-41992'],
  diff: `
--- a/unlzh.c
+++ b/unlzh.c
@@ -239,6 +239,12 @@ read_c_len ()
         c = getbits(CBIT);
         for (i = 0; i < NC; i++) c_len[i] = 0;
         for (i = 0; i < 4096; i++) c_table[i] = c;
+
+        /* Needed in case LEFT and RIGHT are reused from a previous
+           LZW decompression.  It may be overkill to clear all of both
+           arrays, but nobody has had time to analyze this carefully.  */
+        memzero(left, (2 * NC - 1) * sizeof *left);
+        memzero(right, (2 * NC - 1) * sizeof *left);
     } else {
         i = 0;
         while (i < n) {
`,
};
