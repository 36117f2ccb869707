package dev.seekr.cli;

import dev.seekr.config.RunConfig;
import dev.seekr.report.Table;
import dev.seekr.run.Preview;
import dev.seekr.run.Survey;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what would be trained, and trains nothing. */
@Command(
    name = "check",
    description =
        "Reads everything that a run needs, and prints what would be trained, memory, disk and time; writes nothing.",
    footer = {"", "Example: seekr check run.yaml method.replay_ratio=0.05"})
final class Check implements Runnable {
  private static final int COLUMNS = 100;

  /** Tokens of a part of a sample that are shown at its beginning and at its end. */
  private static final int SHOWN = 30;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description = "As for train; run.out need not be set.")
  private List<String> arguments = List.of();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public void run() {
    RunConfig config = Settings.read(arguments).requireEvaluable();
    var survey = Survey.of(config);
    PrintWriter out = spec.commandLine().getOut();
    if (json) JsonOutput.print(out, survey);
    else print(out, survey);
  }

  private static void print(PrintWriter out, Survey survey) {
    Preview preview = survey.preview();
    out.println("backend: " + survey.backend());
    out.println();
    var tasks =
        new Table(
            "task", "train", "left out", "test", "tokens", "longest", "prompts cut", "answers cut");
    for (var t : preview.tasks())
      tasks.row(
          t.name(),
          t.train(),
          t.leftOut(),
          t.test(),
          t.median(),
          t.longest(),
          t.promptsCut(),
          t.answersCut());
    out.println(tasks);
    var stages =
        new Table("stage", "samples", "replayed", "general", "epochs", "steps", "replaying");
    for (var s : preview.stages())
      stages.row(
          s.name(), s.samples(), s.replayed(), s.general(), s.epochs(), s.steps(), s.replaying());
    out.println(stages);
    var whole = new Table("", "");
    whole.row("method", preview.method());
    preview.settings().forEach(whole::row);
    whole.row("memory", Bench.text("%.3f GB at most", survey.memoryBytes() / 1e9));
    whole.row("disk", Bench.text("%.3f GB", survey.diskBytes() / 1e9));
    whole.row("steps", "about " + time(survey.seconds()) + ", without scoring");
    out.print(whole);
    if (!preview.notes().isEmpty()) out.println();
    preview.notes().forEach(out::println);
    survey.samples().forEach((task, tokens) -> sample(out, task, tokens));
    out.flush();
  }

  private static String time(double seconds) {
    if (seconds < 100) return Bench.text("%.1f s", seconds);
    long minutes = Math.round(seconds / 60);
    return minutes < 100 ? minutes + " min" : Bench.text("%.1f h", seconds / 3600);
  }

  private static void sample(PrintWriter out, String task, List<Survey.Token> tokens) {
    int targets = (int) tokens.stream().filter(Survey.Token::target).count();
    int start = tokens.size() - targets;
    out.printf("%n%s, its first sample, %d tokens:%n", task, tokens.size());
    part(out, "  given", tokens.subList(0, start));
    part(out, "  learnt", tokens.subList(start, tokens.size()));
  }

  private static void part(PrintWriter out, String title, List<Survey.Token> tokens) {
    var line = new StringBuilder(title);
    for (int i = 0; i < tokens.size(); i++) {
      boolean middle = i >= SHOWN && i < tokens.size() - SHOWN;
      if (middle && i > SHOWN) continue;
      String word =
          middle
              ? "… %d more …".formatted(tokens.size() - 2 * SHOWN)
              : tokens.get(i).id() + Quoting.json(tokens.get(i).text());
      if (line.length() + word.length() >= COLUMNS) {
        out.println(line);
        line = new StringBuilder("   ");
      }
      line.append(' ').append(word);
    }
    out.println(line);
  }
}
