package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.RunConfig;
import dev.seekr.run.Signals;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Set;
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
      "Fine-tunes LLaMA-family models on a sequence of tasks, and limits the",
      "forgetting of earlier ones.",
      ""
    },
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Versions.class,
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      " 0:done",
      " 1:verify found a difference, or plan exceeds --memory",
      "64:wrong use of the command line",
      "65:malformed data",
      "66:a file is missing or cannot be read",
      "69:the backend is not available",
      "70:a defect of Seekr, or out of memory",
      "73:the output cannot be made",
      "74:input or output failed",
      "75:stopped and saved; the same command resumes",
      "78:wrong settings"
    },
    footerHeading = "%nEnvironment:%n",
    footer = {
      "  SEEKR_JAVA_OPTS   options for the JVM; default -Xmx2g",
      "  SEEKR_DEBUG=1     as --debug",
      "",
      "'seekr COMMAND --help' describes a command;",
      "'seekr info --config' prints every setting and its default."
    },
    subcommands = {
      Train.class,
      Resume.class,
      Check.class,
      Plan.class,
      Eval.class,
      OldAttention.class,
      Generate.class,
      Verify.class,
      Compare.class,
      Summary.class,
      Report.class,
      Thin.class,
      Bench.class,
      Convert.class,
      Info.class,
      Completion.class
    })
public final class Main implements Runnable {
  /** Commands that can be stopped and go on. */
  private static final Set<String> RUNS = Set.of("train", "resume", "compare");

  /** Commands that several processes do together, or that look whether they should. */
  private static final Set<String> SHARED =
      Set.of("", "train", "resume", "verify", "bench step", "compare", "info");

  private static final Failure LOST =
      new Failure(
          Failure.Exit.IO, "stdout: the output could not be written; it is closed, or full");

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

  /** Who may stop the runs of this command line. */
  private final Stop stop;

  private Main(Stop stop) {
    this.stop = stop;
  }

  public static void main(String[] args) {
    // Names of files are made by formats too: they are the same in every language.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    var stop = new Stop(RunConfig.DEFAULT.run().stopGrace());
    // First of all: a run that is told to stop before it has begun stops too.
    if (args.length > 0 && RUNS.contains(args[0])) Signals.to(stop);
    System.exit(run(stop, args));
  }

  /** Runs one command line, that nobody stops; see {@link #run(Stop, String...)}. */
  static int run(String... args) {
    return run(new Stop(RunConfig.DEFAULT.run().stopGrace()), args);
  }

  /** Whom the command at hand asks whether to go on, with the grace of a run's settings. */
  static Stop stop(CommandSpec command, RunConfig config) {
    Stop stop = ((Main) command.root().userObject()).stop;
    stop.grace(config.run().stopGrace());
    return stop;
  }

  /** Runs one command line and returns its exit status; nothing is thrown. */
  static int run(Stop stop, String... args) {
    var seekr = new Main(stop);
    var faults = new Faults(() -> seekr.debug || "1".equals(System.getenv("SEEKR_DEBUG")));
    try {
      int code =
          new CommandLine(seekr)
              .setParameterExceptionHandler(faults)
              .setExecutionExceptionHandler(faults)
              .setExecutionStrategy(parsed -> execute(parsed, faults))
              .execute(args);
      return code == 0 && System.out.checkError() ? faults.report(LOST, System.err) : code;
    } catch (Throwable defect) { // picocli hands over exceptions only, not errors
      return faults.report(defect, System.err);
    }
  }

  /** Commands that several processes do not share are refused to them. */
  private static int execute(CommandLine.ParseResult parsed, Faults faults) {
    Integer help = CommandLine.executeHelpRequest(parsed);
    if (help != null) return help;
    var words = new ArrayList<String>();
    for (var p = parsed; p.hasSubcommand(); p = p.subcommand())
      words.add(p.subcommand().commandSpec().name());
    String command = String.join(" ", words);
    try {
      if (!SHARED.contains(command)) Processes.requireOne(command);
    } catch (Failure refused) {
      return faults.report(refused, System.err);
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }
}
