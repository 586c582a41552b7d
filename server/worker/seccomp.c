/* A deny list: libtorch, oneDNN's code generator and DuckDB use too much of the kernel's surface
 * for a closed allow list to survive their updates, and the namespaces or Landlock already decide
 * what can be reached. Denied is what reaches beyond the process: sockets, other processes, mounts,
 * kernel keys, modules, tracing, other identities, and the interfaces with a history of kernel
 * holes.
 *
 * clone3 answers ENOSYS because its flags lie in memory where a filter cannot look; the C library
 * then uses clone, whose namespace flags are checked. */

#include "worker/seccomp.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const int DENIED[] = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(personality),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),
    SCMP_SYS(capset),
};

#define NAMESPACE_FLAGS                                                                            \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |     \
     CLONE_NEWCGROUP)

static int add_rules(scmp_filter_ctx filter) {
    for (size_t i = 0; i < sizeof(DENIED) / sizeof(DENIED[0]); i++) {
        int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), DENIED[i], 0);
        if (r < 0 && r != -EDOM && r != -EINVAL) /* EINVAL, EDOM: unknown to this architecture */
            return r;
    }
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (unsigned bit = 0; bit < 32 && r >= 0; bit++) {
        unsigned long flag = 1UL << bit;
        if (flag & (unsigned long)NAMESPACE_FLAGS)
            r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    }
    return r;
}

static enum err export_program(scmp_filter_ctx filter, struct sock_fprog *ret,
                               struct err_info *err) {
    auto_fd fd = memfd_create("seccomp", MFD_CLOEXEC);
    struct stat st;
    if (fd < 0 || seccomp_export_bpf(filter, fd) < 0 || fstat(fd, &st) < 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not compile the seccomp filter");
    auto_free struct sock_filter *code = malloc((size_t)st.st_size);
    if (!code || pread(fd, code, (size_t)st.st_size, 0) != st.st_size)
        return err_set(err, ERR_INTERNAL, NULL, "could not read the seccomp filter back");
    ret->len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
    ret->filter = take(code);
    return OK;
}

enum err seccomp_build(struct sock_fprog *ret, struct err_info *err) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter || add_rules(filter) < 0) {
        seccomp_release(filter);
        return err_set(err, ERR_INTERNAL, NULL, "could not build the seccomp filter");
    }
    enum err r = export_program(filter, ret, err);
    seccomp_release(filter);
    return r;
}
