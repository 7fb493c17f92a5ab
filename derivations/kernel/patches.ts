// What is mended in the kernel, each file with its patch and the reason for it.

/** A change to one file of the kernel. */
export interface KernelPatch {
  readonly name: string;
  /** The file it is for, by its path in the sources. */
  readonly file: string;
  /** A diff for `patch -p1`. */
  readonly text: string;
}

/** In the order they are applied, the same in every line. No file is in two of them. */
export const patches: readonly KernelPatch[] = [
  {
    // Programs that need bounded answers look for this file. It has always been in the real-time patches, which are in
    // Linux since 6.12 but for this.
    name: 'sys-kernel-realtime',
    file: 'kernel/ksysfs.c',
    text: `--- a/kernel/ksysfs.c
+++ b/kernel/ksysfs.c
@@ -232,6 +232,15 @@
 KERNEL_ATTR_RW(rcu_normal);
 #endif /* #ifndef CONFIG_TINY_RCU */
 
+#ifdef CONFIG_PREEMPT_RT
+static ssize_t realtime_show(struct kobject *kobj,
+			     struct kobj_attribute *attr, char *buf)
+{
+	return sysfs_emit(buf, "%d\\n", 1);
+}
+KERNEL_ATTR_RO(realtime);
+#endif
+
 /*
  * Make /sys/kernel/notes give the raw contents of our kernel .notes section.
  */
@@ -286,6 +295,9 @@
 	&rcu_expedited_attr.attr,
 	&rcu_normal_attr.attr,
 #endif
+#ifdef CONFIG_PREEMPT_RT
+	&realtime_attr.attr,
+#endif
 	NULL
 };
 
`,
  },
];
