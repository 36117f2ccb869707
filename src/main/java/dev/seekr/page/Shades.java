package dev.seekr.page;

/** Steps of one hue, from nothing to full; classes q0 to q9 of the page. */
final class Shades {
  static final int COUNT = 10;

  private Shades() {}

  /** Of a share from 0 to 1; what is not finite is nothing. */
  static int of(double share) {
    return Double.isFinite(share) ? Math.clamp((int) (share * COUNT), 0, COUNT - 1) : 0;
  }
}
