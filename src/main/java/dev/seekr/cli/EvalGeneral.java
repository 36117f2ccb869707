package dev.seekr.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.general.Asker;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.general.Given;
import dev.seekr.general.Judged;
import dev.seekr.general.Question;
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
  private static final ObjectMapper JSON = new ObjectMapper();

  private EvalGeneral() {}

  /**
   * @param json file for every question's verdict; null: none
   */
  static void run(RunConfig config, PrintWriter out, Path json) {
    var settings = config.eval().general();
    var questions = GeneralQuestions.read(settings);
    var results = new ArrayList<SetResult>();
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(Path.of(config.model().path()), ops)) {
      var asker = new Asker(lm.model(), lm.tokenizer(), lm.prompts(), settings);
      out.println("backend: " + ops.description());
      questions.notes().forEach(out::println);
      questions.sets().forEach(set -> asker.notes(set).forEach(out::println));
      out.flush();
      for (QuestionSet set : questions.sets()) results.add(ask(asker, set));
    }
    out.print(table(questions, results));
    out.flush();
    if (json != null) Disk.publish(json, details(results).toPrettyString() + "\n");
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

  private static Table table(GeneralQuestions questions, List<SetResult> results) {
    var table = new Table("benchmark", "questions", "measure", "score");
    for (SetResult result : results) {
      result
          .scores()
          .forEach(
              (measure, score) ->
                  table.row(
                      result.set().name(),
                      result.set().size(),
                      measure,
                      String.format(Locale.ROOT, "%.2f", score)));
    }
    questions.missing().forEach(name -> table.row(name));
    double mean = results.stream().mapToDouble(SetResult::score).average().orElseThrow();
    String of = "mean of " + results.size();
    return table.row("GA", null, of, String.format(Locale.ROOT, "%.2f", mean));
  }

  /** A section a part: its measures, and each question's sample. */
  private static ObjectNode details(List<SetResult> results) {
    var root = JSON.createObjectNode();
    var tasks = root.putObject("tasks");
    for (SetResult result : results) {
      for (Judged part : result.parts()) {
        var task = tasks.putObject(part.part().name());
        var metrics = task.putObject("metrics");
        for (String measure : result.measures()) metrics.put(measure, part.mean(measure));
        var samples = task.putArray("samples");
        for (int i = 0; i < part.given().size(); i++) {
          var sample = samples.addObject();
          Question question = part.part().questions().get(i);
          sample.put("id", question.id());
          describe(sample, question, part.given().get(i));
          part.verdicts().get(i).forEach(sample::put);
        }
      }
    }
    return root;
  }

  private static void describe(ObjectNode sample, Question question, Given given) {
    switch (question) {
      case Question.Choice choice -> {
        sample.put("target", choice.right());
        sample.set("loglikelihoods", JSON.valueToTree(given.likelihoods()));
        sample.set("greedy", JSON.valueToTree(given.greedy()));
      }
      case Question.Open open -> {
        sample.put("target", open.right().getFirst());
        sample.put("text", given.text());
      }
    }
  }
}
