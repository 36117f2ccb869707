package dev.seekr.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.ops.Ops;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What Seekr sees of the computer, or every setting with its default. */
@Command(
    name = "info",
    description =
        "Prints versions and what the computer has; with --config, every setting and its default.")
final class Info implements Runnable {
  @Spec private CommandSpec spec;

  @Option(names = "--config", description = "Print every setting with its default, as YAML.")
  private boolean config;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(config ? ConfigWriter.write(RunConfig.DEFAULT) : computer());
    out.flush();
  }

  private static String computer() {
    Runtime java = Runtime.getRuntime();
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Table("", "")
        .row("seekr", Versions.seekr())
        .row("java", Runtime.version() + ", " + System.getProperty("java.vendor"))
        .row(
            "system",
            "%s %s, %s".formatted(system.getName(), system.getVersion(), system.getArch()))
        .row("cpus", String.valueOf(java.availableProcessors()))
        .row("memory", mebibytes(system.getTotalMemorySize()))
        .row("java heap", mebibytes(java.maxMemory()))
        .row("backend", backend())
        .toString();
  }

  private static String backend() {
    try (Ops ops = Backends.open(RunConfig.DEFAULT.run())) {
      return ops.description();
    } catch (Failure failure) {
      return "not available: " + failure.getMessage().lines().findFirst().orElse("");
    }
  }

  private static String mebibytes(long bytes) {
    return "%,d MiB".formatted(bytes >> 20);
  }
}
