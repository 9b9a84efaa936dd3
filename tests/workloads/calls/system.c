/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the system calls on identity, scheduling, System V IPC and the kernel's services with valid, invalid and
 * unusual arguments. The decoders of --args are compared with strace on it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define BAD	  ((void *)1)
#define call(...) syscall(__VA_ARGS__)

static void identity(void)
{
	uid_t a, b, c, groups[3] = {1, 2, 3}, many[40];
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0}, wrong = {5, -1};
	struct __user_cap_data_struct data[2];

	memset(many, 0, sizeof(many));
	call(SYS_getuid);
	call(SYS_geteuid);
	call(SYS_getgid);
	call(SYS_getegid);
	call(SYS_getresuid, &a, &b, &c);
	call(SYS_getresgid, &a, &b, &c);
	call(SYS_getresuid, BAD, BAD, BAD);
	call(SYS_setuid, 0);
	call(SYS_setuid, -1);
	call(SYS_setgid, 0);
	call(SYS_setreuid, -1, 0);
	call(SYS_setregid, 0, -1);
	call(SYS_setresuid, -1, -1, -1);
	call(SYS_setresgid, 0, 0, -1);
	call(SYS_setfsuid, -1);
	call(SYS_setfsgid, 0);
	call(SYS_setgroups, 3L, groups);
	call(SYS_getgroups, 0, NULL);
	call(SYS_getgroups, 3, groups);
	call(SYS_getgroups, 1, groups);
	call(SYS_getgroups, 40, many);
	call(SYS_setgroups, 40L, many);
	call(SYS_getgroups, 40, many);
	call(SYS_setgroups, 0L, NULL);
	call(SYS_setgroups, 2L, BAD);
	call(SYS_setgroups, -1L, groups);
	call(SYS_getgroups, -1, groups);
	call(SYS_getgroups, 3, BAD);
	call(SYS_capget, &header, data);
	call(SYS_capset, &header, data);
	call(SYS_capget, &wrong, data);
	call(SYS_capget, &header, NULL);
	call(SYS_capset, BAD, data);
	call(SYS_capset, &wrong, BAD);
	header.version = _LINUX_CAPABILITY_VERSION_1;
	call(SYS_capget, &header, data);
	call(SYS_umask, 022);
	call(SYS_umask, 0777);
}

static void limits(void)
{
	struct rlimit limit = {1024, RLIM_INFINITY}, old, odd = {3, 1};
	struct rusage usage;
	struct sysinfo info;
	struct utsname name;
	char text[64];
	unsigned cpu, node;

	call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old);
	call(SYS_prlimit64, 0, RLIMIT_CORE, &limit, &old);
	call(SYS_prlimit64, 0, 99, &odd, NULL);
	call(SYS_prlimit64, -1, RLIMIT_CPU, BAD, BAD);
	call(SYS_getrlimit, RLIMIT_STACK, &old);
	call(SYS_getrlimit, RLIMIT_AS, BAD);
	call(SYS_setrlimit, RLIMIT_CORE, &limit);
	call(SYS_setrlimit, RLIMIT_FSIZE, &odd);
	call(SYS_setrlimit, 77, NULL);
	call(SYS_getrusage, RUSAGE_CHILDREN, &usage);
	call(SYS_getrusage, RUSAGE_SELF, BAD);
	call(SYS_getrusage, 99, &usage);
	call(SYS_sysinfo, &info);
	call(SYS_sysinfo, BAD);
	call(SYS_uname, &name);
	call(SYS_uname, BAD);
	call(SYS_sethostname, BAD, 5);
	call(SYS_sethostname, "name", 999);
	call(SYS_setdomainname, "name", -1);
	call(SYS_getrandom, text, 4L, 0);
	call(SYS_getrandom, text, 40L, 1);
	call(SYS_getrandom, text, 0L, 0);
	call(SYS_getrandom, BAD, 40L, 1);
	call(SYS_getrandom, text, 4L, 0x17);
	call(SYS_getcpu, &cpu, &node, NULL);
	call(SYS_getcpu, NULL, NULL, NULL);
	call(SYS_getcpu, BAD, NULL, NULL);
	call(SYS_sysfs, 3, 0L, 0L);
	call(SYS_sysfs, 1, "ext4", 0L);
	call(SYS_syslog, 10, NULL, 0);
	call(SYS_syslog, 3, text, 0);
	call(SYS_syslog, 99, text, 5);
	call(SYS_syslog, 8, NULL, 99);
	call(SYS_acct, "/nonexistent/file");
	call(SYS_swapon, "/nonexistent", 0x8003);
	call(SYS_swapoff, "/nonexistent");
	call(SYS_reboot, 1, 2, 3, 0L);
	call(SYS_delete_module, "nonexistent", O_NONBLOCK);
	call(SYS_init_module, BAD, 5L, "options");
	call(SYS_finit_module, -1, "options", 3);
	call(SYS_kexec_load, 0L, 99L, NULL, 0L);
	call(SYS_kexec_file_load, -1, -1, 5L, "line", 8L);
	call(SYS_ioprio_get, 1, 0);
	call(SYS_ioprio_get, 9, -1);
	call(SYS_ioprio_set, 1, 0, 2 << 13 | 4);
	call(SYS_ioprio_set, 1, -1, 9 << 13 | 4);
	call(SYS_getpriority, PRIO_PROCESS, 0);
	call(SYS_getpriority, PRIO_USER, 12345);
	call(SYS_getpriority, 7, 0);
	call(SYS_setpriority, PRIO_PROCESS, 0, 0);
	call(SYS_setpriority, 7, 0, -5);
	call(SYS_quotactl, 0x800007 << 8 | 1, "/dev/none", 0, &info);
	call(SYS_quotactl_fd, -1, 0x800002 << 8, 0, NULL);
	call(SYS_lookup_dcookie, 5L, text, 64L);
	call(SYS_ustat, 0x12345678, &info);
	call(SYS_uselib, "x");
}

static void scheduling(void)
{
	struct sched_param param = {5};
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t min, max;
	} attr = {.size = 48, .policy = 6, .flags = 1, .runtime = 1, .deadline = 2, .period = 3},
	  nice = {.size = 48, .nice = 1}, read;
	struct timespec interval;
	unsigned long mask[16] = {3}, all[16];

	memset(all, 0xff, sizeof(all));
	call(SYS_sched_yield);
	call(SYS_sched_getaffinity, 0, 128L, mask);
	call(SYS_sched_getaffinity, 0, 4L, mask);
	call(SYS_sched_getaffinity, -1, 8L, mask);
	call(SYS_sched_getaffinity, 0, 8L, BAD);
	call(SYS_sched_setaffinity, 0, 128L, all);
	call(SYS_sched_setaffinity, 0, 8L, BAD);
	call(SYS_sched_setaffinity, -1, 8L, mask);
	call(SYS_sched_setaffinity, -1, 0L, mask);
	call(SYS_sched_getscheduler, 0);
	call(SYS_sched_getscheduler, -1);
	call(SYS_sched_setscheduler, 0, SCHED_OTHER, &param);
	call(SYS_sched_setscheduler, 0, SCHED_RR | 0x40000000, BAD);
	call(SYS_sched_setscheduler, -1, 99, NULL);
	call(SYS_sched_getparam, 0, &param);
	call(SYS_sched_getparam, -1, BAD);
	call(SYS_sched_setparam, 0, &param);
	call(SYS_sched_setparam, 0, BAD);
	call(SYS_sched_get_priority_max, SCHED_FIFO);
	call(SYS_sched_get_priority_min, 77);
	call(SYS_sched_rr_get_interval, 0, &interval);
	call(SYS_sched_rr_get_interval, -1, BAD);
	call(SYS_sched_getattr, 0, &read, 48, 0);
	call(SYS_sched_getattr, 0, &read, 56, 0);
	call(SYS_sched_getattr, 0, &read, 8, 1);
	call(SYS_sched_getattr, 0, BAD, 56, 0);
	call(SYS_sched_setattr, -1, &attr, 0);
	call(SYS_sched_setattr, -1, &nice, 3);
	attr.size = 56;
	attr.policy = 1;
	attr.priority = 9;
	attr.flags = 0x7f;
	call(SYS_sched_setattr, -1, &attr, 0);
	attr.size = 20;
	call(SYS_sched_setattr, -1, &attr, 0);
	call(SYS_sched_setattr, 0, BAD, 0);
	call(SYS_sched_setattr, 0, NULL, 0);
}

static void ipc(void)
{
	struct {
		long type;
		char text[40];
	} message = {5, "hello"};
	struct sembuf op[2] = {{0, 1, SEM_UNDO}, {0, -1, IPC_NOWAIT}};
	struct timespec brief = {0, 1000};
	struct shmid_ds shm;
	struct msqid_ds msg;
	struct semid_ds sem;
	unsigned short values[2] = {3, 4};
	int id = call(SYS_shmget, IPC_PRIVATE, 4096L, IPC_CREAT | 0600);
	long at;

	call(SYS_shmget, 0x1234, 4096L, 0);
	call(SYS_shmget, 0x1235, 0L, IPC_CREAT | IPC_EXCL | SHM_HUGETLB | 21 << 26 | 0644);
	at = call(SYS_shmat, id, NULL, 0);
	call(SYS_shmat, -1, 4096L, SHM_RDONLY | SHM_RND);
	call(SYS_shmdt, at);
	call(SYS_shmdt, 1L);
	call(SYS_shmctl, id, IPC_STAT, &shm);
	call(SYS_shmctl, id, IPC_SET, &shm);
	call(SYS_shmctl, id, IPC_RMID, NULL);
	call(SYS_shmctl, 0, 3 /* IPC_INFO */, BAD);
	call(SYS_shmctl, -1, IPC_STAT, BAD);
	call(SYS_shmctl, -1, 11 /* SHM_LOCK */, NULL);
	call(SYS_shmctl, -1, 99, NULL);
	id = call(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
	call(SYS_msgget, 0x1234, IPC_EXCL);
	call(SYS_msgsnd, id, &message, 5L, IPC_NOWAIT);
	call(SYS_msgrcv, id, &message, 40L, 0L, MSG_NOERROR | IPC_NOWAIT);
	call(SYS_msgrcv, id, &message, 40L, -5L, IPC_NOWAIT);
	call(SYS_msgsnd, -1, &message, 36L, 0);
	call(SYS_msgsnd, -1, BAD, 5L, 0x10);
	call(SYS_msgrcv, -1, BAD, 5L, 5L, 040000);
	call(SYS_msgctl, id, IPC_STAT, &msg);
	call(SYS_msgctl, id, IPC_SET, &msg);
	call(SYS_msgctl, id, IPC_RMID, NULL);
	call(SYS_msgctl, -1, 99, BAD);
	id = call(SYS_semget, IPC_PRIVATE, 2, IPC_CREAT | 0600);
	call(SYS_semget, 0x1234, 1, 0);
	call(SYS_semop, id, op, 2L);
	call(SYS_semop, -1, op, 1L);
	call(SYS_semop, -1, BAD, 1L);
	call(SYS_semop, -1, op, 0L);
	call(SYS_semtimedop, id, op, 1L, NULL);
	call(SYS_semtimedop, -1, op + 1, 1L, &brief);
	call(SYS_semctl, id, 0, SETVAL, 5L);
	call(SYS_semctl, id, 0, GETVAL, 0L);
	call(SYS_semctl, id, 0, SETALL, values);
	call(SYS_semctl, id, 0, GETALL, values);
	call(SYS_semctl, id, 0, IPC_STAT, &sem);
	call(SYS_semctl, id, 0, IPC_RMID, 0L);
	call(SYS_semctl, -1, 1, 99, 7L);
	call(SYS_mq_open, "nonexistent", O_RDWR, 0L, NULL);
	id = call(SYS_mq_open, "veil", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
	call(SYS_mq_timedsend, id, "hello", 5L, 3, NULL);
	call(SYS_mq_timedreceive, id, BAD, 5L, BAD, &brief);
	call(SYS_mq_getsetattr, id, NULL, &shm);
	call(SYS_mq_notify, id, NULL);
	call(SYS_mq_notify, -1, BAD);
	call(SYS_close, id);
	call(SYS_mq_unlink, "veil");
}

static void services(void)
{
	union bpf_attr attr;
	struct perf_event_attr perf;
	struct sock_filter code[] = {{0x6, 0, 0, 0x7fff0000}};
	struct sock_fprog program = {1, code};
	struct landlock_ruleset_attr ruleset = {.handled_access_fs = 1};
	struct landlock_path_beneath_attr rule = {1, -1};
	uint32_t action = SECCOMP_RET_TRAP, key = 1;
	uint64_t value = 2;
	uint16_t sizes[3];
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = 4;
	strcpy(attr.map_name, "veil");
	fd = call(SYS_bpf, BPF_MAP_CREATE, &attr, 72, 0L, 0L);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	attr.flags = 2;
	call(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, 32, 0L, 0L);
	attr.flags = 0;
	call(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, 32, 0L, 0L);
	call(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, 32, 0L, 0L);
	call(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, 32, 0L, 0L);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	call(SYS_bpf, BPF_PROG_LOAD, &attr, 48, 0L, 0L);
	call(SYS_bpf, BPF_PROG_LOAD, BAD, 48, 0L, 0L);
	call(SYS_bpf, 999, &attr, 8, 0L, 0L);
	memset(&attr, 0, sizeof(attr));
	call(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, 12, 0L, 0L);
	attr.start_id = 0xfffffff;
	call(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attr, 12, 0L, 0L);
	call(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, 12, 0L, 0L);
	attr.info.bpf_fd = -1;
	call(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, 16, 0L, 0L);
	call(SYS_close, fd);
	memset(&perf, 0, sizeof(perf));
	perf.type = PERF_TYPE_SOFTWARE;
	perf.size = sizeof(perf);
	perf.config = PERF_COUNT_SW_CPU_CLOCK;
	perf.disabled = 1;
	fd = call(SYS_perf_event_open, &perf, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	call(SYS_close, fd);
	perf.type = PERF_TYPE_HARDWARE;
	perf.config = PERF_COUNT_HW_CACHE_MISSES;
	perf.freq = 1;
	perf.sample_freq = 99;
	perf.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID;
	perf.exclude_kernel = 1;
	call(SYS_perf_event_open, &perf, -1, -1, -1, 0L);
	perf.size = 12;
	call(SYS_perf_event_open, &perf, -1, 0, 5, 0x13L);
	call(SYS_perf_event_open, BAD, 0, 0, 0, 0L);
	call(SYS_perf_event_open, NULL, 0, 0, 0, 0L);
	call(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
	call(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes);
	call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x1000, &program);
	call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC | 0x4000, NULL);
	call(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL);
	call(SYS_seccomp, 77, 1, 2L);
	call(SYS_landlock_create_ruleset, NULL, 0L, 1);
	fd = call(SYS_landlock_create_ruleset, &ruleset, 8L, 0);
	call(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	call(SYS_landlock_add_rule, fd, 2, &rule, 0);
	call(SYS_landlock_add_rule, fd, 9, BAD, 1);
	call(SYS_landlock_restrict_self, -1, 0);
	call(SYS_landlock_restrict_self, fd, 0x80);
	call(SYS_landlock_create_ruleset, BAD, 8L, 0);
	call(SYS_landlock_create_ruleset, &ruleset, 4L, 8);
	call(SYS_close, fd);
	call(SYS_keyctl, 0L, -2L, 0L, 0L, 0L);
	call(SYS_keyctl, 1L, "name", 0L, 0L, 0L);
	call(SYS_keyctl, 5L, 12345L, 0x3f3f0000L, 0L, 0L);
	call(SYS_keyctl, 6L, -3L, &attr, 40L, 0L);
	call(SYS_keyctl, 10L, -3L, "user", "nonexistent", 0L);
	call(SYS_keyctl, 11L, 12345L, &attr, 40L, 0L);
	call(SYS_keyctl, 2L, 12345L, "payload", 7L, 0L);
	call(SYS_keyctl, 4L, 12345L, 1L, 2L, 0L);
	call(SYS_keyctl, 15L, 12345L, 10L, 0L, 0L);
	call(SYS_keyctl, 99L, 1L, 2L, 3L, 4L);
	call(SYS_add_key, "user", "description", "payload", 7L, -99);
	call(SYS_add_key, BAD, NULL, BAD, 7L, -3);
	call(SYS_request_key, "user", "nonexistent", NULL, -3);
	call(SYS_io_setup, 0, BAD);
	call(SYS_io_destroy, 1L);
	call(SYS_io_submit, 1L, 0L, NULL);
	call(SYS_io_getevents, 1L, 0L, 1L, NULL, NULL);
	call(SYS_io_cancel, 1L, BAD, NULL);
	call(459 /* lsm_get_self_attr */, 100, NULL, NULL, 0);
	call(461 /* lsm_list_modules */, NULL, NULL, 0);
	call(999, 1L, 2L, 3L, 4L, 5L, 6L);
}

int main(void)
{
	identity();
	limits();
	scheduling();
	ipc();
	services();
	return 0;
}
