package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// cpuMicros gives user and system time of this process so far.
func cpuMicros() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1_000
}

// maxRssBytes gives the most memory that this process had; 0 where there is no /proc. (getrusage's figure begins with that
// of the process that started this one.)
func maxRssBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kilobytes int64
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0
	}
	return kilobytes * 1_024
}
