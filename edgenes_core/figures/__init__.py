"""Pictures: `*_info(...)` computes arrays, `plot_*(info)` draws them. No torch, no run folder, no streamlit."""
