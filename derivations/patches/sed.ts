// A fix of sed that Debian's security update has and its original archive has not, as upstream wrote it.

/** CVE-2026-5958: with -i --follow-symlinks the link was followed twice; upstream commit 6b9b43c5. */
export const linkFollowedOnce = {
  debian: 'sed-i-follow-symlinks-fix-TOCTOU-race-CVE-2026-5958.patch',
  fixes: ['CVE-2026-5958'],
  diff: `
--- a/sed/execute.c
+++ b/sed/execute.c
@@ -560,5 +560,5 @@ open_next_file (const char *name, struct input *input)
         input->in_file_name = follow_symlink (name);
 
-      if ( ! (input->fp = ck_fopen (name, read_mode, false)) )
+      if ( ! (input->fp = ck_fopen (input->in_file_name, read_mode, false)) )
         {
           const char *ptr = strerror (errno);
`,
};
