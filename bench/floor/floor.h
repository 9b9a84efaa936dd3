/* SPDX-License-Identifier: GPL-3.0-only */
/* What floor.bpf.c and floor.c agree on. */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/types.h>

#define FLOOR_RING_SIZE (16 << 20)
#define FLOOR_WATERMARK (FLOOR_RING_SIZE / 8)

/* The fields of Veil's syscall event, in the same sizes: a cheaper event would be a floor of something else. */
struct floor_event {
	char comm[16];
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 type;
	__u64 timestamp;
	__u32 gid;
	__s32 nr;
	__u32 arch;
};

#endif
