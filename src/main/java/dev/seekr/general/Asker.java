package dev.seekr.general;

import dev.seekr.config.GeneralSettings;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.SoftPrompts;
import dev.seekr.tokenizer.Tokenizer;
import java.util.List;

/**
 * Who is asked: a model as it now stands.
 *
 * @param prompts soft prompts the model answers with; null: none
 */
public record Asker(
    LlamaModel model, Tokenizer tokenizer, SoftPrompts prompts, GeneralSettings settings) {

  /** A benchmark none of whose questions has been asked yet. */
  public Asking begin(QuestionSet set) {
    return new Asking(this, set);
  }

  /** Asks all questions of a benchmark. */
  public SetResult ask(QuestionSet set) {
    try (var asking = begin(set)) {
      while (!asking.done()) asking.next();
      return asking.result();
    }
  }

  /** What a user should know of how this model is asked; none where it is asked as defined. */
  public List<String> notes(QuestionSet set) {
    if (!(set.parts().getFirst().kind() instanceof Kind.Open kind)) return List.of();
    int most = maxNew(kind);
    if (most == kind.maxNew()) return List.of();
    return List.of(
        "answers to %s have at most %d tokens, in place of %d"
            .formatted(set.name(), most, kind.maxNew()));
  }

  /** Most tokens of an answer: as the benchmark or the settings say, and half of what there is. */
  public int maxNew(Kind.Open kind) {
    int most = settings.maxNewTokens() == 0 ? kind.maxNew() : settings.maxNewTokens();
    return Math.clamp(model.config.maxPositions() / 2, 1, most);
  }

  /** What the model is given of a question, soft prompts included. */
  public int[] tokens(Question.Open question, Kind.Open kind) {
    var prompts = new Prompts(this);
    return prompts.prompted(prompts.open(question, maxNew(kind)));
  }
}
