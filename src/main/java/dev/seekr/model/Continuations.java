package dev.seekr.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How likely a model holds continuations of a prompt to be. A prompt is run once for all of its
 * continuations, and what prompts begin with in common once for all prompts.
 */
public final class Continuations {
  private Continuations() {}

  /**
   * A prompt, without the beginning, and continuations, token ids of which none is empty. All but
   * the last token of a continuation are run.
   */
  public record Question(int[] prompt, List<int[]> continuations) {
    public Question {
      prompt = prompt.clone();
      continuations = copies(continuations);
    }

    private static List<int[]> copies(List<int[]> all) {
      return all.stream().map(int[]::clone).toList();
    }

    /** A copy. */
    @Override
    public int[] prompt() {
      return prompt.clone();
    }

    /** Copies. */
    @Override
    public List<int[]> continuations() {
      return copies(continuations);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Question q
          && Arrays.equals(prompt, q.prompt)
          && Arrays.deepEquals(continuations.toArray(), q.continuations.toArray());
    }

    @Override
    public int hashCode() {
      return 31 * Arrays.hashCode(prompt) + Arrays.deepHashCode(continuations.toArray());
    }

    /** Tokens that are run. */
    public int length() {
      return prompt.length + continuations.stream().mapToInt(c -> c.length - 1).sum();
    }
  }

  /**
   * A continuation.
   *
   * @param logLikelihood natural logarithm of its probability
   * @param greedy whether greedy decoding would have given it
   */
  public record Likelihood(double logLikelihood, boolean greedy) {}

  /**
   * Those of each question, in one pass.
   *
   * @throws NotFinite where the model says no number
   */
  public static List<List<Likelihood>> likelihoods(
      LlamaModel model, Beginning beginning, List<Question> questions) {
    var trees = questions.stream().map(Continuations::tree).toList();
    var branches = new Branches(model, beginning, trees);
    var pass = branches.all();
    var rows = new ArrayList<Integer>();
    var tokens = new ArrayList<Integer>();
    for (int q = 0; q < questions.size(); q++) {
      var continuations = questions.get(q).continuations;
      for (int c = 0; c < continuations.size(); c++) {
        for (int t = 0; t < continuations.get(c).length; t++) {
          rows.add(branches.row(q, c, t - 1));
          tokens.add(continuations.get(c)[t]);
        }
      }
    }
    return gather(questions, pass.targets(ints(rows), ints(tokens)));
  }

  private static Branches.Tree tree(Question question) {
    return new Branches.Tree(
        question.prompt,
        question.continuations.stream().map(c -> Arrays.copyOf(c, c.length - 1)).toList());
  }

  private static List<List<Likelihood>> gather(List<Question> questions, Targets targets) {
    var all = new ArrayList<List<Likelihood>>();
    int r = 0;
    for (Question question : questions) {
      var likelihoods = new ArrayList<Likelihood>();
      for (int[] continuation : question.continuations) {
        double sum = 0;
        boolean greedy = true;
        for (int t = 0; t < continuation.length; t++, r++) {
          sum += targets.logLikelihoods()[r];
          greedy &= targets.best()[r];
        }
        if (!Double.isFinite(sum)) throw new NotFinite();
        likelihoods.add(new Likelihood(sum, greedy));
      }
      all.add(likelihoods);
    }
    return all;
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }
}
