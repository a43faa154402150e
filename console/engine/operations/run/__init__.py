"""Operations as they run: steps, programs, leases, their end."""
