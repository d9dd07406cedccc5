/// User and system time of this process so far.
pub fn cpu_micros() -> i64 {
    let mut usage = std::mem::MaybeUninit::uninit();
    // SAFETY: getrusage fills the whole struct, and can not fail for RUSAGE_SELF and a valid pointer.
    let usage: libc::rusage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let micros = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

/// Most memory that this process had; 0 where there is no /proc. (getrusage's figure begins with that of the process that
/// started this one.)
pub fn max_rss_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1_024)
}
