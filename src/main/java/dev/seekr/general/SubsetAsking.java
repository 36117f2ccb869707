package dev.seekr.general;

import dev.seekr.data.Batcher;
import dev.seekr.model.Beginning;
import dev.seekr.model.Continuations;
import dev.seekr.model.Generator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * The questions of a part, in batches of like length; what all of their prompts begin with is run
 * once. Which batches there are depends on the questions alone.
 */
abstract sealed class SubsetAsking implements AutoCloseable {
  final Asker asker;
  private final List<int[]> prompts; // of each unit that is asked
  private final List<List<Integer>> batches; // of units
  private Beginning beginning; // null: not run yet
  final int shared; // tokens of the beginning

  SubsetAsking(Asker asker, List<int[]> prompts, ToIntFunction<Integer> weight, int most) {
    this.asker = asker;
    this.prompts = prompts;
    shared = Beginning.shared(prompts);
    // The longest first: what does not fit into memory shows at once.
    List<Integer> order =
        IntStream.range(0, prompts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -prompts.get(i).length))
            .toList();
    batches = Batcher.pack(order, weight, most);
  }

  static SubsetAsking of(Asker asker, Subset part) {
    return switch (part.kind()) {
      case Kind.Choices _ -> ChoiceAsking.of(asker, part);
      case Kind.Open kind -> OpenAsking.of(asker, part, kind);
    };
  }

  int batches() {
    return batches.size();
  }

  /** Asks a batch; what is given to its questions goes to where they stand. */
  abstract void ask(int batch, Given[] given);

  /** What asking a batch gave elsewhere goes to where it stands. */
  abstract void take(int batch, Given[] from, Given[] to);

  List<Integer> batch(int batch) {
    return batches.get(batch);
  }

  /** A unit's prompt after the beginning. */
  int[] rest(int unit) {
    int[] prompt = prompts.get(unit);
    return Arrays.copyOfRange(prompt, shared, prompt.length);
  }

  Beginning beginning() {
    if (beginning == null)
      beginning = Beginning.of(asker.model(), Arrays.copyOf(prompts.getFirst(), shared));
    return beginning;
  }

  @Override
  public void close() {
    if (beginning != null) beginning.close();
  }

  /** By the log-likelihoods of choices. */
  private static final class ChoiceAsking extends SubsetAsking {
    private final List<Continuations.Question> units;
    private final List<Integer> questions; // whose unit each is
    private final Subset part;

    private ChoiceAsking(
        Asker asker,
        Subset part,
        List<int[]> prompts,
        List<Continuations.Question> units,
        List<Integer> questions) {
      super(asker, prompts, i -> units.get(i).length(), asker.settings().tokens());
      this.part = part;
      this.units = units;
      this.questions = questions;
    }

    static ChoiceAsking of(Asker asker, Subset part) {
      var prompts = new Prompts(asker);
      var units = new ArrayList<Continuations.Question>();
      var questions = new ArrayList<Integer>();
      for (int q = 0; q < part.questions().size(); q++) {
        for (var unit : prompts.choices((Question.Choice) part.questions().get(q))) {
          units.add(unit);
          questions.add(q);
        }
      }
      var prompted = units.stream().map(u -> prompts.prompted(u.prompt())).toList();
      return new ChoiceAsking(asker, part, prompted, units, questions);
    }

    @Override
    void ask(int batch, Given[] given) {
      List<Integer> asked = batch(batch);
      var found =
          Continuations.likelihoods(
              asker.model(),
              beginning(),
              asked.stream()
                  .map(u -> new Continuations.Question(rest(u), units.get(u).continuations()))
                  .toList());
      for (int i = 0; i < asked.size(); i++) {
        int q = questions.get(asked.get(i)), first = first(asked.get(i));
        if (given[q] == null) given[q] = nothing(q);
        for (int c = 0; c < found.get(i).size(); c++) {
          var choice = found.get(i).get(c);
          given[q] = given[q].with(first + c, choice.logLikelihood(), choice.greedy());
        }
      }
    }

    /** The first choice that a unit is of. */
    private int first(int unit) {
      return unit - questions.indexOf(questions.get(unit));
    }

    @Override
    void take(int batch, Given[] from, Given[] to) {
      for (int unit : batch(batch)) {
        int q = questions.get(unit), first = first(unit);
        int n = units.get(unit).continuations().size();
        if (to[q] == null) to[q] = nothing(q);
        for (int c = first; c < first + n; c++)
          to[q] = to[q].with(c, from[q].likelihoods()[c], from[q].greedy()[c]);
      }
    }

    private Given nothing(int q) {
      int choices = ((Question.Choice) part.questions().get(q)).choices().size();
      return new Given(new double[choices], new boolean[choices], null);
    }
  }

  /** By greedy decoding. */
  private static final class OpenAsking extends SubsetAsking {
    private final List<String> stops;
    private final int maxNew;

    private OpenAsking(Asker asker, List<int[]> prompts, List<String> stops, int maxNew) {
      super(asker, prompts, _ -> 1, asker.settings().batch());
      this.stops = stops;
      this.maxNew = maxNew;
    }

    static OpenAsking of(Asker asker, Subset part, Kind.Open kind) {
      var tokens =
          part.questions().stream().map(q -> asker.tokens((Question.Open) q, kind)).toList();
      var stops = new ArrayList<>(kind.stops());
      for (int eos : asker.model().config.eos())
        stops.add(asker.tokenizer().decode(new int[] {eos}, false));
      stops.removeIf(String::isEmpty);
      return new OpenAsking(asker, tokens, stops, asker.maxNew(kind));
    }

    @Override
    void ask(int batch, Given[] given) {
      List<Integer> asked = batch(batch);
      Set<Integer> eos = new HashSet<>(asker.model().config.eos());
      var answers =
          new Generator(asker.model())
              .generate(beginning(), asked.stream().map(this::rest).toList(), maxNew, eos, ended());
      for (int i = 0; i < asked.size(); i++)
        given[asked.get(i)] =
            new Given(null, null, cut(asker.tokenizer().decode(answers.get(i)), stops));
    }

    @Override
    void take(int batch, Given[] from, Given[] to) {
      for (int q : batch(batch)) to[q] = from[q];
    }

    /** A stop is no longer than as many of the last tokens as it has characters. */
    private Predicate<int[]> ended() {
      int tail = 2 + stops.stream().mapToInt(String::length).max().orElse(0);
      return tokens -> {
        int[] last = Arrays.copyOfRange(tokens, Math.max(0, tokens.length - tail), tokens.length);
        String text = asker.tokenizer().decode(last);
        return stops.stream().anyMatch(text::contains);
      };
    }

    /** The text before each stop, taken in turn. */
    private static String cut(String text, List<String> stops) {
      for (String stop : stops) {
        int at = text.indexOf(stop);
        if (at >= 0) text = text.substring(0, at);
      }
      return text;
    }
  }
}
