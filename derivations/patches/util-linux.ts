// Fixes of util-linux that Debian's security updates have and its original archive has not, as upstream wrote them.

/** CVE-2026-27456: a loop device's backing file is opened without following links; upstream commit 119d23f1e3f5. */
export const backingFileWithoutLinks = {
  debian: 'upstream/loopdev-use-openat2-RESOLVE_NO_SYMLINKS-for-backing-file.patch',
  fixes: ['CVE-2026-27456'],
  diff: `
--- a/lib/loopdev.c
+++ b/lib/loopdev.c
@@ -1412,16 +1412,21 @@ int loopcxt_setup_device(struct loopdev_cxt *lc)
 	if (lc->config.info.lo_flags & LO_FLAGS_DIRECT_IO)
 		flags |= O_DIRECT;
 	if (lc->flags & LOOPDEV_FL_NOFOLLOW)
-		flags |= O_NOFOLLOW;
-
-	if ((file_fd = open(lc->filename, mode | flags)) < 0) {
-		if (mode != O_RDONLY && (errno == EROFS || errno == EACCES))
-			file_fd = open(lc->filename, (mode = O_RDONLY) | flags);
+		file_fd = ul_open_no_symlinks(lc->filename, mode | flags, 0);
+	else
+		file_fd = open(lc->filename, mode | flags);
 
-		if (file_fd < 0) {
-			DBG(SETUP, ul_debugobj(lc, "open backing file failed: %m"));
-			return -errno;
-		}
+	if (file_fd < 0 && mode != O_RDONLY
+	    && (errno == EROFS || errno == EACCES)) {
+		mode = O_RDONLY;
+		if (lc->flags & LOOPDEV_FL_NOFOLLOW)
+			file_fd = ul_open_no_symlinks(lc->filename, mode | flags, 0);
+		else
+			file_fd = open(lc->filename, mode | flags);
+	}
+	if (file_fd < 0) {
+		DBG(SETUP, ul_debugobj(lc, "open backing file failed: %m"));
+		return -errno;
 	}
 	DBG(SETUP, ul_debugobj(lc, "backing file open: OK"));
 
`,
};

/** For other users than root, mount follows links of a source below /dev only. */
export const sourcesBelowDevOnly = {
  debian: 'upstream/libmount-restrict-source-path-canonicalization-for-non-ro.patch',
  diff: `
--- a/libmount/src/context.c
+++ b/libmount/src/context.c
@@ -1998,7 +1998,22 @@ int mnt_context_prepare_srcpath(struct libmnt_context *cxt)
 		/*
 		 * Source is PATH (canonicalize)
 		 */
-		path = mnt_resolve_path(src, cache);
+		if (mnt_context_is_restricted(cxt)) {
+			/* In restricted mode, only canonicalize /dev/
+			 * paths (e.g. /dev/cdrom -> /dev/sr0) and verify
+			 * the result stays in /dev/. For non-/dev/ paths
+			 * (e.g. disk images in user dirs), keep the
+			 * original fstab path -- symlink protection is
+			 * handled at open time by RESOLVE_NO_SYMLINKS.
+			 */
+			if (ul_startswith(src, "/dev/")) {
+				path = mnt_resolve_path(src, cache);
+				if (path && !ul_startswith(path, "/dev/"))
+					path = NULL;
+			}
+		} else
+			path = mnt_resolve_path(src, cache);
+
 		if (path && strcmp(path, src) != 0)
 			rc = mnt_fs_set_source(cxt->fs, path);
 	 }
`,
};
