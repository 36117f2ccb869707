package dev.seekr.cli;

import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.general.Asker;
import dev.seekr.general.Details;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.general.QuestionSet;
import dev.seekr.general.SetResult;
import dev.seekr.ops.Ops;
import dev.seekr.report.Progress;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;

/**
 * Asks a model the questions of benchmarks and prints what it scores.
 *
 * @param folder for scores.json and answers.json, every question's verdict; null: none
 * @param json whether one object is printed, and what is noted goes to stderr
 */
record EvalGeneral(RunConfig config, CommandLine commandLine, Path folder, boolean json) {
  /** What is printed, and written as scores.json. */
  private record Scores(
      String model, String backend, List<Score> benchmarks, List<String> missing, double ga) {}

  private record Score(
      String benchmark, int questions, Map<String, Double> scores, double seconds) {}

  void run() {
    var questions = GeneralQuestions.read(config.eval().general());
    var results = new ArrayList<SetResult>();
    var rows = new ArrayList<Score>();
    String backend;
    if (folder != null) Disk.makeFolder(folder);
    try (Ops ops = Backends.open(config.run());
        var lm =
            LanguageModel.load(Path.of(config.model().path()), config.model().ignored(), ops)) {
      var asker = new Asker(lm.model(), lm.tokenizer(), lm.prompts(), config.eval().general());
      backend = ops.description();
      note("backend: " + backend);
      questions.notes().forEach(this::note);
      questions.sets().forEach(set -> asker.notes(set).forEach(this::note));
      for (QuestionSet set : questions.sets()) {
        long start = System.nanoTime();
        var result = ask(asker, set);
        results.add(result);
        double seconds = (System.nanoTime() - start) / 1e9;
        rows.add(new Score(set.name(), set.size(), result.scores(), seconds));
      }
    }
    double ga = results.stream().mapToDouble(SetResult::score).average().orElseThrow();
    var scores = new Scores(config.model().path(), backend, rows, questions.missing(), ga);
    PrintWriter out = commandLine.getOut();
    if (json) JsonOutput.print(out, scores);
    else out.print(table(scores));
    out.flush();
    if (folder == null) return;
    Disk.publish(folder.resolve("scores.json"), JsonOutput.text(scores));
    Disk.publish(folder.resolve("answers.json"), Details.json(results));
  }

  private void note(String line) {
    PrintWriter print = json ? commandLine.getErr() : commandLine.getOut();
    print.println(line);
    print.flush();
  }

  private static SetResult ask(Asker asker, QuestionSet set) {
    try (var asking = asker.begin(set);
        var progress = new Progress(set.name(), set.size(), 0)) {
      while (!asking.done()) {
        int before = asking.asked();
        asking.next();
        for (int i = before; i < asking.asked(); i++) progress.step(0, Map.of());
      }
      return asking.result();
    }
  }

  private static Table table(Scores scores) {
    var table = new Table("benchmark", "questions", "measure", "score", "seconds");
    for (Score row : scores.benchmarks) {
      String seconds = text("%.1f", row.seconds);
      for (var score : row.scores.entrySet()) {
        table.row(
            row.benchmark, row.questions, score.getKey(), text("%.2f", score.getValue()), seconds);
        seconds = "";
      }
    }
    scores.missing.forEach(table::row);
    return table.row("GA", null, "mean of " + scores.benchmarks.size(), text("%.2f", scores.ga));
  }

  private static String text(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
