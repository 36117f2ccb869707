package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.GeneralSettings;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Fingerprint;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.general.Asker;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.general.Given;
import dev.seekr.general.Judged;
import dev.seekr.general.Kind;
import dev.seekr.general.Question;
import dev.seekr.general.QuestionSet;
import dev.seekr.general.Subset;
import dev.seekr.model.Generator;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * General ability against what lm-evaluation-harness says of the same model ({@code
 * scripts/general_reference.py}): the very requests, log-likelihoods within 1e-3, the same choices
 * and texts, answers and scores. A text may differ from a token on whose two best logits are closer
 * than 1e-3; it then counts no further.
 */
public final class GeneralCheck {
  private static final double CLOSE = 1e-3, SAME = 1e-9;

  /** Of references that name no other number. */
  private static final int MOST_NEW = 192;

  private final LanguageModel lm;
  private final Asker asker;
  private final Checks checks = new Checks();

  private GeneralCheck(LanguageModel lm, GeneralSettings settings) {
    this.lm = lm;
    asker = new Asker(lm.model(), lm.tokenizer(), lm.prompts(), settings);
  }

  /**
   * Throws Failure where a file cannot be read (66) or is malformed (65).
   *
   * @param file of references
   * @param data the benchmarks' folder
   * @param folder of the model
   */
  public static Checks verify(Path file, Path data, Path folder, Ops ops) {
    Fields json = Fields.read(file), tasks = json.section("tasks");
    int offset = json.whole("offset", 0, Integer.MAX_VALUE, 0);
    int most = json.whole("max_new_tokens", 1, Integer.MAX_VALUE, MOST_NEW);
    var names = tasks.json().propertyStream().map(Map.Entry::getKey).toList();
    var sets = new HashSet<String>();
    for (String name : names) sets.add(plain(name).split("_")[0]);
    var settings = settings(data, sets, most);
    var parts = new LinkedHashMap<String, Subset>();
    for (QuestionSet set : GeneralQuestions.read(settings).sets())
      for (Subset part : set.parts()) parts.put(part.name(), part);
    try (var lm = LanguageModel.load(folder, Set.of(), ops)) {
      var check = new GeneralCheck(lm, settings);
      for (String name : names) {
        Subset part = parts.get(plain(name));
        if (part == null) throw tasks.wrong(name, "a task of which there are questions in " + data);
        check.task(part, tasks.section(name), offset);
      }
      return check.checks;
    }
  }

  private static String plain(String name) {
    return name.replace("_local", "");
  }

  private static GeneralSettings settings(Path data, HashSet<String> sets, int most) {
    return ConfigReader.read(
            List.of(),
            List.of(
                "eval.general.root=" + data,
                "eval.general.sets=[" + String.join(",", sets) + "]",
                "eval.general.max_new_tokens=" + most))
        .eval()
        .general();
  }

  private void task(Subset part, Fields task, int offset) {
    if (task.has("requests")) requests(part, task.section("requests"), offset);
    if (!task.has("samples")) return;
    List<Fields> samples = task.sections("samples");
    var questions = new LinkedHashMap<Integer, Question>();
    for (Fields sample : samples) {
      int id = sample.whole("id", 0, Integer.MAX_VALUE), at = offset + id;
      if (at >= part.questions().size())
        throw sample.wrong("id", "below " + (part.questions().size() - offset));
      questions.put(id, part.questions().get(at));
    }
    var ids = new ArrayList<>(questions.keySet());
    var asked = new Subset(part.name(), part.kind(), List.copyOf(questions.values()));
    var set = new QuestionSet(part.name(), true, List.of(asked), List.of());
    Judged judged = asker.ask(set).parts().getFirst();
    boolean same =
        part.kind() instanceof Kind.Open kind
            ? open(judged, kind, samples, ids)
            : choices(judged, samples, ids);
    if (!same) return;
    Fields metrics = task.section("metrics");
    for (String measure : part.kind().measures()) {
      String theirs = metrics.has(measure) ? measure : measure + ",none";
      checks.add(
          part.name() + "." + measure,
          Math.abs(judged.mean(measure) - metrics.number(theirs)),
          SAME);
    }
  }

  /** Prompts and what may follow them, a zero byte after each text. */
  private void requests(Subset part, Fields requests, int offset) {
    var bytes = new ByteArrayOutputStream();
    int count = requests.whole("count", 1, Integer.MAX_VALUE);
    int end = Math.min(part.questions().size(), offset + count);
    for (Question question : part.questions().subList(offset, end)) {
      switch (question) {
        case Question.Open open -> text(bytes, open.prompt(), "");
        case Question.Choice choice ->
            choice.choices().forEach(c -> text(bytes, choice.prompt(), " " + c));
      }
    }
    String found = Fingerprint.of(ByteBuffer.wrap(bytes.toByteArray())).sha256();
    checks.add(part.name() + ".requests", found.equals(requests.text("sha256")) ? 0 : 1, 0);
  }

  private static void text(ByteArrayOutputStream to, String... texts) {
    for (String text : texts) {
      to.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      to.write(0);
    }
  }

  private void prompt(Subset part, Fields sample, String prompt) {
    if (sample.has("prompt"))
      checks.add(part.name() + ".prompt", prompt.equals(sample.text("prompt")) ? 0 : 1, 0);
  }

  private boolean choices(Judged judged, List<Fields> samples, List<Integer> ids) {
    double worst = 0;
    int differ = 0;
    for (Fields sample : samples) {
      int i = ids.indexOf(sample.whole("id", 0, Integer.MAX_VALUE));
      Given given = judged.given().get(i);
      prompt(judged.part(), sample, judged.part().questions().get(i).prompt());
      var theirs = sample.json().path("loglikelihoods");
      if (theirs.size() != given.likelihoods().length)
        throw sample.wrong("loglikelihoods", given.likelihoods().length + " numbers");
      for (int c = 0; c < theirs.size(); c++) {
        if (!theirs.get(c).isNumber()) throw sample.wrong("loglikelihoods", "numbers");
        worst = Math.max(worst, Math.abs(given.likelihoods()[c] - theirs.get(c).doubleValue()));
        if (given.greedy()[c] != sample.json().path("greedy").path(c).booleanValue()) differ++;
      }
      for (var verdict : judged.verdicts().get(i).entrySet())
        if (sample.number(verdict.getKey()) != verdict.getValue()) differ++;
    }
    checks.add(judged.part().name() + ".loglikelihoods", worst, CLOSE);
    checks.add(judged.part().name() + ".choices", differ, 0);
    return true;
  }

  /** Whether all texts are the same; then their measures must be. */
  private boolean open(Judged judged, Kind.Open kind, List<Fields> samples, List<Integer> ids) {
    String name = judged.part().name();
    int differ = 0, unlike = 0, close = 0;
    for (Fields sample : samples) {
      int i = ids.indexOf(sample.whole("id", 0, Integer.MAX_VALUE));
      var question = (Question.Open) judged.part().questions().get(i);
      prompt(judged.part(), sample, question.prompt());
      String theirs = sample.text("text"), measure = "exact_match," + sample.text("filter");
      Kind.Reading reading =
          kind.readings().stream()
              .filter(r -> r.name().equals(measure))
              .findFirst()
              .orElseThrow(() -> sample.wrong("filter", "one of " + kind.measures()));
      if (!reading.filter().apply(theirs).equals(sample.text("answer"))) unlike++;
      if (reading.judge(theirs, question.right()) != sample.number("exact_match")) unlike++;
      if (judged.given().get(i).text().equals(theirs)) continue;
      if (margin(question, kind, theirs) < CLOSE) close++;
      else differ++;
    }
    checks.add(name + ".texts", differ, 0);
    checks.add(name + ".answers", unlike, 0);
    return differ + close == 0;
  }

  /** Between the two best logits where our text first says something else than theirs. */
  private double margin(Question.Open question, Kind.Open kind, String theirs) {
    int[] prompt = asker.tokens(question, kind);
    var eos = new HashSet<>(lm.model().config.eos());
    int[] answer =
        new Generator(lm.model()).generate(List.of(prompt), asker.maxNew(kind), eos).getFirst();
    int same = 0;
    while (same < answer.length
        && theirs.startsWith(lm.tokenizer().decode(Arrays.copyOf(answer, same + 1)))) same++;
    int[] tokens = Arrays.copyOf(prompt, prompt.length + same);
    System.arraycopy(answer, 0, tokens, prompt.length, same);
    return margin(lm.model(), tokens);
  }

  private static double margin(LlamaModel model, int[] tokens) {
    try (var memory = new Memory("margin")) {
      var logits = memory.allocate("logits", DType.F32, 1, model.config.V());
      model.begin(Batch.of(new Sample(tokens, 1)), false).all().logits(logits, tokens.length - 1);
      float[] z = logits.toFloats();
      if (z.length < 2) throw Failure.data("a vocabulary of %d tokens", z.length);
      Arrays.sort(z);
      return z[z.length - 1] - z[z.length - 2];
    }
  }
}
