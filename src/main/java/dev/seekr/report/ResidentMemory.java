package dev.seekr.report;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** Resident memory of this process as Linux counts it, in bytes; 0 where it does not say. */
public final class ResidentMemory {
  private ResidentMemory() {}

  /** The most this process ever had. */
  public static long peak() {
    return status("VmHWM:");
  }

  /** Lets {@link #peak} begin anew; without effect where the system does not allow it. */
  public static void resetPeak() {
    try {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    } catch (IOException e) {
      // The peak is then that of the process, which is never too small.
    }
  }

  public static long now() {
    return status("VmRSS:");
  }

  /** What the computer, or the container, could still give without swapping. */
  public static long available() {
    long available = field("/proc/meminfo", "MemAvailable:");
    var here = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    boolean contained = here.getTotalMemorySize() < field("/proc/meminfo", "MemTotal:");
    return contained ? Math.min(available, here.getFreeMemorySize()) : available;
  }

  private static long status(String field) {
    return field("/proc/self/status", field);
  }

  private static long field(String file, String field) {
    try {
      for (String line : Files.readAllLines(Path.of(file))) {
        if (line.startsWith(field)) return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    } catch (IOException e) {
      return 0;
    }
    return 0;
  }
}
