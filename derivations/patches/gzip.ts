// Fixes of gzip that Debian's update has and its original archive has not, as upstream wrote them, without their news.

/** CVE-2026-41992: a buffer overflow with an .lzh file after a .Z file; upstream commit 63dbf6b3. */
export const clearedTables = {
  debian: 'CVE-2026-41992.patch',
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

/** CVE-2026-41991: gzexe and zdiff write into a file that somebody else may have put there first; commit 4e6f8b24. */
export const temporaryFiles = {
  debian: 'CVE-2026-41991-a.patch',
  fixes: ['CVE-2026-41991'],
  diff: `
--- a/gzexe.in
+++ b/gzexe.in
@@ -128,6 +128,7 @@ for i do
     tmp=\`mktemp "\${dir}gzexeXXXXXXXXX"\`
   else
     tmp=\${dir}gzexe$$
+    (umask 77; set -C; > "$tmp")
   fi && { cp -p "$file" "$tmp" 2>/dev/null || cp "$file" "$tmp"; } || {
     res=$?
     printf >&2 '%s\\n' "$0: cannot copy $file"
--- a/zdiff.in
+++ b/zdiff.in
@@ -157,12 +157,11 @@ case $file2 in
                           *) TMPDIR=/tmp/;;
                         esac
                         if type mktemp >/dev/null 2>&1; then
-                          tmp=\`mktemp "\${TMPDIR}zdiffXXXXXXXXX"\` ||
-                            exit 2
+                          tmp=\`mktemp "\${TMPDIR}zdiffXXXXXXXXX"\`
                         else
-                          set -C
                           tmp=\${TMPDIR}zdiff$$
-                        fi
+                          (umask 77; set -C; > "$tmp")
+                        fi &&
                         'gzip' -cdfq -- "$file2" > "$tmp" || exit 2
                         gzip_status=$(
                           exec 4>&1
`,
};

/** The same for znew; commit 0dfab987. */
export const temporaryFilesOfZnew = {
  debian: 'CVE-2026-41991-b.patch',
  fixes: ['CVE-2026-41991'],
  diff: `
--- a/znew.in
+++ b/znew.in
@@ -89,6 +89,8 @@ if test -n "$opt"; then
   opt="-$opt"
 fi
 
+mktemp_status=
+
 for i do
   n=\`printf '%s\\n' "$i" | sed 's/.Z$//'\`
   if test ! -f "$n.Z" ; then
@@ -107,7 +109,16 @@ for i do
     fi
   else
     if test $check -eq 1; then
-      if cp -p "$n.Z" "$n.$$"; then
+      if test -z "$mktemp_status"; then
+        command -v mktemp >/dev/null 2>&1
+        mktemp_status=$?
+      fi
+      if if test $mktemp_status -eq 0; then
+           tmp=\`mktemp "$n.XXXXXXXXX"\`
+         else
+           tmp=$n.$$
+           (umask 77; set -C; > "$tmp")
+         fi && cp -p "$n.Z" "$tmp"; then
         :
       else
         printf '%s\\n' "cannot backup $n.Z"
@@ -117,7 +128,7 @@ for i do
     if 'gzip' -d "$n.Z"; then
       :
     else
-      test $check -eq 1 && mv "$n.$$" "$n.Z"
+      test $check -eq 1 && mv "$tmp" "$n.Z"
       printf '%s\\n' "error while uncompressing $n.Z"
       res=1; continue
     fi
@@ -125,7 +136,7 @@ for i do
       :
     else
       if test $check -eq 1; then
-        mv "$n.$$" "$n.Z" && rm -f "$n"
+        mv "$tmp" "$n.Z" && rm -f "$n"
         printf '%s\\n' "error while recompressing $n"
       else
         # compress $n  (might be dangerous if disk full)
@@ -140,15 +151,15 @@ for i do
     if test $pipe -eq 1; then
       rm -f "$n$ext"
     else
-      mv "$n.$$" "$n.Z" && rm -f "$n$ext"
+      mv "$tmp" "$n.Z" && rm -f "$n$ext"
     fi
     printf '%s\\n' "$n.Z smaller than $n$ext -- unchanged"
 
   elif test $check -eq 1; then
     if 'gzip' -t "$n$ext" ; then
-      rm -f "$n.$$" "$n.Z"
+      rm -f "$tmp" "$n.Z"
     else
-      test $pipe -eq 0 && mv "$n.$$" "$n.Z"
+      test $pipe -eq 0 && mv "$tmp" "$n.Z"
       rm -f "$n$ext"
       printf '%s\\n' "error while testing $n$ext, $n.Z unchanged"
       res=1; continue
`,
};
