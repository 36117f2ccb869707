package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.method.HeadScores;
import dev.seekr.model.Graft;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import java.nio.file.Path;
import java.util.Set;

/**
 * A model that answers with another one's attention.
 *
 * @param model the grafted one
 * @param old whose attention it has
 * @param said whose attention that is, in words
 */
record Grafting(LlamaModel model, LanguageModel old, String said) implements AutoCloseable {

  /**
   * Loads the model in {@code folder} and grafts its attention onto another.
   *
   * @param csv table of heads as {@link HeadScores} are written, whose selected ones are grafted;
   *     null: all are
   * @throws Failure config (78) where the two do not fit, data (65) where the table does not; and
   *     where either cannot be read
   */
  static Grafting of(Path folder, Path csv, LanguageModel onto, Set<String> ignored, Ops ops) {
    boolean[][] heads = csv == null ? null : heads(csv, onto);
    requireFit(folder, LlamaConfig.read(folder, ignored), onto);
    var old = LanguageModel.load(folder, ignored, ops);
    try {
      requireNoPrompts(old);
      requireNoPrompts(onto);
      var graft = new Graft(old.model(), heads);
      String which = heads == null ? "all heads" : count(heads) + " heads selected in " + csv;
      return new Grafting(onto.model().with(graft), old, folder + ", " + which);
    } catch (RuntimeException | Error e) {
      old.close();
      throw e;
    }
  }

  private static void requireFit(Path old, LlamaConfig shape, LanguageModel onto) {
    Graft.mismatch(shape, onto.model().config)
        .ifPresent(
            mismatch -> {
              throw Failure.config(
                  "%s: cannot be grafted onto %s: %s; expected a model of the same shape, as an earlier one of the same run",
                  old, onto.folder(), mismatch);
            });
    Path tokenizer = old.resolve("tokenizer.json");
    var own = Reading.fingerprint(onto.folder().resolve("tokenizer.json"));
    if (!Reading.fingerprint(tokenizer).equals(own))
      throw Failure.config(
          "%s: is not the tokenizer.json of %s; grafting runs both models on the same tokens",
          tokenizer, onto.folder());
  }

  private static void requireNoPrompts(LanguageModel lm) {
    if (lm.prompts() != null)
      throw Failure.config(
          "%s: has soft prompts; attention is grafted between models without", lm.folder());
  }

  private static boolean[][] heads(Path csv, LanguageModel onto) {
    var scores = HeadScores.read(csv);
    var config = onto.model().config;
    if (scores.L() != config.L() || scores.NH() != config.heads().NH())
      throw Failure.data(
          "%s: is of %d layers of %d heads; %s has %d of %d",
          csv, scores.L(), scores.NH(), onto.folder(), config.L(), config.heads().NH());
    if (scores.selected() == null || count(scores.selected()) == 0)
      throw Failure.data("%s: selects no head; expected 1 in column 'selected' of some", csv);
    return scores.selected();
  }

  private static int count(boolean[][] heads) {
    int n = 0;
    for (boolean[] layer : heads) for (boolean taken : layer) if (taken) n++;
    return n;
  }

  @Override
  public void close() {
    old.close();
  }
}
