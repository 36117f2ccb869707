package dev.seekr.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line. */
@Command(
    name = "seekr",
    description = "Trains LLaMA-family models on a sequence of tasks without forgetting the earlier ones.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Versions.class,
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "'seekr COMMAND --help' tells about a command; 'seekr info --config' prints every setting.",
      "",
      "Environment:",
      "  SEEKR_JAVA_OPTS  options for the JVM (-Xmx2g when unset)",
      "  SEEKR_DEBUG=1    the same as --debug",
      "",
      "Exit status: 0 success; 64 wrong use; 65 malformed data; 66 missing file; 69 no backend;",
      "70 defect or out of memory; 73 output cannot be made; 74 input/output error; 75 try again;",
      "78 wrong settings."
    },
    subcommands = {Info.class})
public final class Seekr implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an unexpected error.")
  private boolean debug;

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs one command line and returns its exit status; nothing is thrown. */
  static int run(String... args) {
    var seekr = new Seekr();
    var faults = new Faults(() -> seekr.debug || "1".equals(System.getenv("SEEKR_DEBUG")));
    try {
      return new CommandLine(seekr)
          .setParameterExceptionHandler(faults)
          .setExecutionExceptionHandler(faults)
          .execute(args);
    } catch (Throwable defect) { // picocli hands over exceptions only, not errors
      return faults.report(defect, System.err);
    }
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }
}
