package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Turns text into sequences: BOS + prompt + answer + EOS, cut to the lengths that are kept. Prompt
 * and answer are tokenised apart, so that a generated answer follows the very tokens that were
 * trained on; or, where the settings say so, as one text, as the authors' code does; or both are
 * put by a {@link ChatTemplate}, whose tokens they are then, BOS and the end with them.
 */
public final class SampleEncoder {
  private final Tokenizer tokenizer;
  private final DataSettings data;
  private final int bos;
  private final int eos;
  private final ChatTemplate chat;

  /**
   * A sequence, and what of its text is not in it.
   *
   * @param promptCut whether the beginning of the prompt is missing
   * @param answerCut whether the end of the answer is, or EOS
   */
  public record Cut(Sample sample, boolean promptCut, boolean answerCut) {
    public boolean any() {
      return promptCut || answerCut;
    }
  }

  /**
   * @param bos the model's BOS id; not used when {@code data.bos} is off
   * @param eos the model's EOS id
   */
  public SampleEncoder(Tokenizer tokenizer, DataSettings data, int bos, int eos) {
    this(tokenizer, data, bos, eos, null);
  }

  /**
   * @param bos the model's BOS id; not used when {@code data.bos} is off or there is a template
   * @param eos the model's EOS id; not used when there is a template
   * @param chat puts prompts and answers; null: they are put as they are
   */
  public SampleEncoder(
      Tokenizer tokenizer, DataSettings data, int bos, int eos, ChatTemplate chat) {
    this.tokenizer = tokenizer;
    this.data = data;
    this.bos = bos;
    this.eos = eos;
    this.chat = chat;
  }

  /** Ids that end an answer: those of the model, and what the chat template ends one with. */
  public Set<Integer> ends(Collection<Integer> eos) {
    var ends = new HashSet<>(eos);
    if (chat != null) ends.add(chat.end());
    return ends;
  }

  /**
   * A training sequence. Apart: the prompt as in {@link #prompt}, then the answer and EOS, or the
   * first maxAnswer tokens of them: a cut answer does not end. Joint: the last maxPrompt +
   * maxAnswer tokens of both, with EOS and then BOS where there is room for them; targets are as
   * many tokens at its end as the answer has of its own.
   *
   * @throws Failure data, with the example's place, when nothing is left of the answer, or nothing
   *     precedes it
   */
  public Cut encode(Example example) {
    return joint() ? together(example) : apart(example);
  }

  private boolean joint() {
    return data.tokenize() == DataSettings.Tokenize.joint;
  }

  private Cut together(Example example) {
    int room = data.maxPrompt() + data.maxAnswer();
    int own = Math.min(tokenizer.encode(example.answer()).length, room);
    if (own < room) own++; // EOS
    int[] text = tokenizer.encode(example.prompt() + example.answer());
    int kept = Math.min(text.length, room);
    int end = kept < room ? 1 : 0, lead = data.bos() && kept + end < room ? 1 : 0;
    int[] tokens = new int[lead + kept + end];
    if (tokens.length < 2)
      throw Failure.data(
          "%s: expected two tokens at least, found %d", example.where(), tokens.length);
    if (lead > 0) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    if (end > 0) tokens[tokens.length - 1] = eos;
    // Nothing predicts a first token, which answers as long as all there is room for begin with.
    int start = data.lossOn() == DataSettings.LossOn.all ? 1 : Math.max(1, tokens.length - own);
    return new Cut(new Sample(tokens, start), text.length > kept, end == 0);
  }

  private Cut apart(Example example) {
    int[] prompt = prompt(example), answer = answer(example);
    if (data.maxAnswer() < 1) {
      throw Failure.data(
          "%s: data.max_answer %d leaves nothing of the answer; expected at least 1",
          example.where(), data.maxAnswer());
    }
    int kept = Math.min(answer.length, data.maxAnswer());
    int[] tokens = Arrays.copyOf(prompt, prompt.length + kept);
    System.arraycopy(answer, 0, tokens, prompt.length, kept);
    int start = data.lossOn() == DataSettings.LossOn.all ? 1 : prompt.length;
    return new Cut(new Sample(tokens, start), promptIsCut(example), kept < answer.length);
  }

  /** The answer and what ends it. */
  private int[] answer(Example example) {
    if (chat != null) return chat.answer(example);
    int[] answer = tokenizer.encode(example.answer());
    if (answer.length == 0) {
      throw Failure.data(
          "%s: expected an answer of at least one token, found none", example.where());
    }
    int[] ended = Arrays.copyOf(answer, answer.length + 1);
    ended[answer.length] = eos;
    return ended;
  }

  /** Whether the beginning of a prompt that is to be answered is left out. */
  public boolean promptIsCut(Example example) {
    return kept(given(example)) < given(example).length;
  }

  /** The whole prompt, BOS with it. */
  private int[] given(Example example) {
    if (chat != null) return chat.prompt(example);
    int[] text = tokenizer.encode(example.prompt());
    boolean leads = data.bos() && !(joint() && text.length >= data.maxPrompt());
    if (!leads) return text;
    int[] led = new int[text.length + 1];
    led[0] = bos;
    System.arraycopy(text, 0, led, 1, text.length);
    return led;
  }

  /** BOS stays, whatever is cut; a template may have none. */
  private int kept(int[] given) {
    int lead = leads(given) ? 1 : 0;
    return lead + Math.min(given.length - lead, Math.max(0, data.maxPrompt() - lead));
  }

  private boolean leads(int[] given) {
    boolean may = chat != null || data.bos();
    return may && given.length > 0 && given[0] == bos;
  }

  /**
   * What generation starts from: BOS and the last tokens of the prompt, maxPrompt together. BOS
   * stays whatever is cut; joint, as the authors have it, a prompt that is cut has none. With a
   * chat template, what it prints up to the answer.
   *
   * @throws Failure data when there is neither BOS nor a token of the prompt
   */
  public int[] prompt(Example example) {
    int[] given = given(example);
    int kept = kept(given);
    if (kept == 0) {
      throw Failure.data(
          "%s: expected BOS or a prompt of at least one token, found neither", example.where());
    }
    int[] tokens = Arrays.copyOfRange(given, given.length - kept, given.length);
    if (leads(given)) tokens[0] = bos;
    return tokens;
  }
}
