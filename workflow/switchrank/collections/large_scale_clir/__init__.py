"""Large-Scale CLIR (Sasaki et al. 2018): English sentences as queries on Wikipedia in 25 languages."""
