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

/** Asks a model the questions of benchmarks and prints what it scores. */
final class EvalGeneral {
  private EvalGeneral() {}

  /**
   * @param json file for every question's verdict; null: none
   */
  static void run(RunConfig config, PrintWriter out, Path json) {
    var settings = config.eval().general();
    var questions = GeneralQuestions.read(settings);
    var results = new ArrayList<SetResult>();
    var seconds = new ArrayList<Double>();
    try (Ops ops = Backends.open(config.run());
        var lm =
            LanguageModel.load(Path.of(config.model().path()), config.model().ignored(), ops)) {
      var asker = new Asker(lm.model(), lm.tokenizer(), lm.prompts(), settings);
      out.println("backend: " + ops.description());
      questions.notes().forEach(out::println);
      questions.sets().forEach(set -> asker.notes(set).forEach(out::println));
      out.flush();
      for (QuestionSet set : questions.sets()) {
        long start = System.nanoTime();
        results.add(ask(asker, set));
        seconds.add((System.nanoTime() - start) / 1e9);
      }
    }
    out.print(table(questions, results, seconds));
    out.flush();
    if (json != null) Disk.publish(json, Details.json(results));
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

  private static Table table(
      GeneralQuestions questions, List<SetResult> results, List<Double> seconds) {
    var table = new Table("benchmark", "questions", "measure", "score", "seconds");
    for (int i = 0; i < results.size(); i++) {
      SetResult result = results.get(i);
      for (var score : result.scores().entrySet()) {
        boolean first = score.getKey().equals(result.measures().getFirst());
        table.row(
            result.set().name(),
            result.set().size(),
            score.getKey(),
            text("%.2f", score.getValue()),
            first ? text("%.1f", seconds.get(i)) : "");
      }
    }
    questions.missing().forEach(name -> table.row(name));
    double mean = results.stream().mapToDouble(SetResult::score).average().orElseThrow();
    return table.row("GA", null, "mean of " + results.size(), text("%.2f", mean));
  }

  private static String text(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
