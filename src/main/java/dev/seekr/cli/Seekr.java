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
    description = {
      "Trains LLaMA-family models on a sequence of tasks without forgetting",
      "the earlier ones.",
      ""
    },
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Versions.class,
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      " 0:done",
      " 1:verify found a difference",
      "64:wrong use of the command line",
      "65:malformed data",
      "66:a file is missing or cannot be read",
      "69:the backend is not available",
      "70:a defect of Seekr, or out of memory",
      "73:the output cannot be made",
      "74:input or output failed",
      "75:stopped before the end; can be tried again",
      "78:wrong settings"
    },
    footerHeading = "%nEnvironment:%n",
    footer = {
      "  SEEKR_JAVA_OPTS   options for the JVM; default -Xmx2g",
      "  SEEKR_DEBUG=1     as --debug",
      "",
      "'seekr COMMAND --help' tells about a command;",
      "'seekr info --config' prints every setting and its default."
    },
    subcommands = {
      Train.class,
      Plan.class,
      Eval.class,
      Generate.class,
      Verify.class,
      Compare.class,
      Summary.class,
      Bench.class,
      Info.class
    })
public final class Seekr implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Print this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  private boolean version;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error.")
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
