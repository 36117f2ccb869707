package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.config.GeneralSettings;
import dev.seekr.config.GeneralSettings.Benchmark;
import dev.seekr.disk.Fingerprint;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The benchmarks of a folder.
 *
 * @param sets those that are there, in the order of the settings
 * @param missing names of those that are not
 */
public record GeneralQuestions(List<QuestionSet> sets, List<String> missing) {
  /** No benchmark at all. */
  public static final GeneralQuestions NONE = new GeneralQuestions(List.of(), List.of());

  /**
   * Reads what the settings name.
   *
   * @throws Failure input when the folder, or a file of a benchmark that is there, is missing; data
   *     when one is malformed
   */
  public static GeneralQuestions read(GeneralSettings settings) {
    Path root = Path.of(settings.root());
    if (!Files.isDirectory(root))
      throw Failure.input("%s: no such folder; it holds one folder a benchmark", root);
    var sets = new ArrayList<QuestionSet>();
    var missing = new ArrayList<String>();
    for (Benchmark benchmark : settings.sets()) {
      Path folder = root.resolve(benchmark.name());
      if (Files.isDirectory(folder))
        sets.add(read(benchmark, folder).first(settings.limit()).atMost(settings.questions()));
      else missing.add(benchmark.name());
    }
    if (sets.isEmpty())
      throw Failure.input("%s: expected folders %s, found none", root, String.join(", ", missing));
    return new GeneralQuestions(List.copyOf(sets), List.copyOf(missing));
  }

  private static QuestionSet read(Benchmark benchmark, Path folder) {
    return switch (benchmark) {
      case mmlu -> Mmlu.read(folder);
      case gsm8k -> Gsm8k.read(folder);
      case bbh -> Bbh.read(folder);
      case tydiqa -> TyDiQa.read(folder);
      case boolq -> BoolQ.read(folder);
      case piqa -> Piqa.read(folder);
    };
  }

  /** Names of all that was asked for, those that are missing last. */
  public List<String> names() {
    var names = new ArrayList<>(sets.stream().map(QuestionSet::name).toList());
    names.addAll(missing);
    return names;
  }

  /** What a user should know before they are asked. */
  public List<String> notes() {
    var notes = new ArrayList<String>();
    for (String name : missing)
      notes.add("%s is not there; its general ability stays blank".formatted(name));
    for (QuestionSet set : sets) notes.addAll(set.notes());
    return notes;
  }

  /** By which a run that goes on sees that the questions are the same. */
  public String fingerprint() {
    var text = new StringBuilder();
    for (QuestionSet set : sets)
      for (Subset part : set.parts())
        text.append(part.name()).append(part.questions()).append('\n');
    var bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
    return Fingerprint.of(bytes).sha256();
  }
}
