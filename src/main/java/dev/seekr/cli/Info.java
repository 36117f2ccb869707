package dev.seekr.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.config.SettingsReference;
import dev.seekr.ops.Ops;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What Seekr sees of the computer, or every setting with its default. */
@Command(name = "info", description = "Prints versions and hardware; with --config, every setting.")
final class Info implements Runnable {
  @Spec private CommandSpec spec;

  /** How settings are told. */
  private enum Form {
    yaml,
    markdown,
    schema
  }

  @Option(
      names = "--config",
      arity = "0..1",
      fallbackValue = "yaml",
      paramLabel = "FORM",
      description =
          "Print every setting with its meaning, allowed values and default, as yaml (default), markdown or schema (JSON).")
  private Form config;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    if (json && config != null)
      throw new ParameterException(
          spec.commandLine(), "--json is of the computer; settings as JSON are --config=schema");
    if (json) JsonOutput.print(out, computer());
    else
      out.print(
          switch (config) {
            case null -> table(computer());
            case yaml -> SettingsReference.yaml();
            case markdown -> SettingsReference.markdown();
            case schema -> SettingsReference.schema();
          });
    out.flush();
  }

  private record Computer(
      String seekr,
      String java,
      String system,
      int cpus,
      long memoryBytes,
      long javaHeapBytes,
      String backend) {}

  private static Computer computer() {
    Runtime java = Runtime.getRuntime();
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Computer(
        Versions.seekr(),
        Runtime.version() + ", " + System.getProperty("java.vendor"),
        "%s %s, %s".formatted(system.getName(), system.getVersion(), system.getArch()),
        java.availableProcessors(),
        system.getTotalMemorySize(),
        java.maxMemory(),
        backend());
  }

  private static String table(Computer computer) {
    return new Table("", "")
        .row("seekr", computer.seekr)
        .row("java", computer.java)
        .row("system", computer.system)
        .row("cpus", String.valueOf(computer.cpus))
        .row("memory", mebibytes(computer.memoryBytes))
        .row("java heap", mebibytes(computer.javaHeapBytes))
        .row("backend", computer.backend)
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
