// A fix of file that its release has not, as upstream wrote it.

/** A program that names a long interpreter made it write behind its stack; upstream commit b3384a1f. */
export const longInterpreter = {
  debian: '1733423740.FILE5_46-7-gb3384a1f.pr-579-net147-fix-stack-overrun.patch',
  diff: `
--- a/src/readelf.c
+++ b/src/readelf.c
@@ -1726,7 +1726,7 @@
 	Elf64_Phdr ph64;
 	const char *linking_style;
 	unsigned char nbuf[NBUFSIZE];
-	char interp[128];
+	char interp[NBUFSIZE];
 	ssize_t bufsize;
 	size_t offset, align, need = 0;
 	int pie = 0, dynamic = 0;
`,
};
