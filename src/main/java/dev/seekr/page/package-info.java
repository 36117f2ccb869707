/**
 * The page about finished runs that {@code seekr report} writes: results, curves, heads, answers
 * lost and gained, in one HTML file that needs nothing else.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.method}, {@code dev.seekr.evaluation}, {@code dev.seekr.report}, {@code dev.seekr.run}.
 */
package dev.seekr.page;
